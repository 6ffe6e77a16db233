"""Words that differ are found, and a sentence comes back whole."""

import pytest

from bnvae.metrics.word_diff import marked, words_changed

FOX = "the happy fox baked a honey cake at noon."


@pytest.mark.parametrize(
    ("sentence", "changed"),
    [
        (FOX, []),
        ("the sad fox baked a honey cake at noon.", ["sad"]),
        ("the happy fox will bake a honey cake at noon.", ["will bake"]),
        ("the happy fox baked a honey cake.", []),
        ("at noon, the happy fox baked a honey cake.", ["at noon,"]),
        ("", []),
        ("entirely else", ["entirely else"]),
    ],
)
def test_the_words_that_the_other_has_not_are_marked(sentence: str, changed: list[str]) -> None:
    parts = marked(sentence, FOX)
    assert "".join(text for text, _ in parts) == sentence
    assert [text for text, differs in parts if differs] == changed


def test_a_sentence_keeps_its_blanks_whatever_is_marked() -> None:
    for sentence in ("  a  b ", "a\tb", " ", "今天 天气\n好"):
        assert "".join(text for text, _ in marked(sentence, "a c 今")) == sentence


def test_a_script_without_blanks_is_compared_sign_by_sign() -> None:
    assert marked("春风又绿江南岸", "春风又到江南岸") == [("春风又", False), ("绿", True), ("江南岸", False)]


@pytest.mark.parametrize(
    ("sentence", "count"),
    [
        (FOX, 0),
        ("the sad fox baked a honey cake at noon.", 1),
        ("the happy fox will bake a honey cake at noon.", 2),
        ("the happy fox baked a honey cake.", 2),
        ("", 10),  # nine words and the full stop
    ],
)
def test_changed_words_are_counted_whether_replaced_added_or_left_out(sentence: str, count: int) -> None:
    assert words_changed(sentence, FOX) == count
    assert words_changed(FOX, sentence) == count


def test_hostile_text_is_text() -> None:
    assert "".join(text for text, _ in marked("<b>x</b>", "<b>y</b>")) == "<b>x</b>"
