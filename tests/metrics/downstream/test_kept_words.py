"""Sentences in parts, by what their reconstructions keep; expected parts are marked by hand."""

import pytest

from bnvae.metrics.downstream.kept_words import kept_causes, kept_words

KING = "the cheerful king was carrying a bright lantern late at night."
BEAR = "the cheerful bear was carrying a bright lantern late at night."
MOUSE = "the unhappy mouse will be planting some wild flowers in the kitchen."


def test_what_both_tell_of_a_cause_is_a_part_in_both() -> None:
    found = kept_causes([KING], [[BEAR]])
    assert found.originals == [
        [
            ("the ", ()),
            ("cheerful", ("mood",)),
            (" king ", ()),
            ("was", ("tense",)),
            (" ", ()),
            ("carrying", ("action", "aspect")),
            (" ", ()),
            ("a bright lantern", ("object",)),
            (" ", ()),
            ("late at night", ("time",)),
            (".", ()),
        ]
    ]
    assert [part for part in found.again[0][0] if part[1]] == [part for part in found.originals[0] if part[1]]
    assert (found.kept, found.told) == ([6], 7)  # the king became a bear


def test_the_original_shows_what_any_model_keeps_and_each_model_what_it_keeps_itself() -> None:
    found = kept_causes([KING], [[MOUSE], [BEAR]])
    assert [names for _, names in found.again[0][0] if names] == [("aspect",)]
    assert "".join(text for text, _ in found.again[0][0]) == MOUSE
    assert ("late at night", ("time",)) in found.originals[0]
    assert found.kept == [1, 6]


def test_another_word_for_the_same_mood_is_kept() -> None:
    found = kept_causes(["the furious king drew the moon."], [["the owl furiously sang a song."]])
    assert ("furious", ("mood",)) in found.originals[0]
    assert ("furiously", ("mood",)) in found.again[0][0]


def test_without_known_causes_equal_words_are_kept_and_punctuation_is_not() -> None:
    found = kept_words(["a man, outside, is reading."], [["a dog, outside, is running."]])
    assert found.again == [
        [[("a", ("word",)), (" dog, ", ()), ("outside", ("word",)), (", ", ()), ("is", ("word",)), (" running.", ())]]
    ]
    assert (found.kept, found.told) == ([3], 5)


def test_neighbouring_words_are_one_part() -> None:
    found = kept_words(["two women sit down"], [["two women stand"]])
    assert found.originals == [[("two women", ("word",)), (" sit down", ())]]
    assert found.kept == [2]


def test_scripts_without_blanks_are_kept_sign_by_sign() -> None:
    found = kept_words(["春風吹花"], [["春風落花"]])
    assert found.again == [[[("春風", ("word",)), ("落", ()), ("花", ("word",))]]]
    assert (found.kept, found.told) == ([3], 4)


@pytest.mark.parametrize("line", ["", " ", "?!", "<b>the king</b> 🙂"])
def test_parts_always_join_to_the_sentence(line: str) -> None:
    for kept in (kept_causes, kept_words):
        found = kept([line], [[BEAR], [line], [""]])
        assert "".join(text for text, _ in found.originals[0]) == line
        assert ["".join(text for text, _ in one[0]) for one in found.again] == [BEAR, line, ""]


def test_a_reconstruction_too_few_is_refused() -> None:
    with pytest.raises(ValueError, match="again has 1 sentences for 2"):
        kept_words(["a", "b"], [["a"]])
