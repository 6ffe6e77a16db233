import pytest

from bnvae.config.schema import DataConfig
from bnvae.data.storybook.corpus import FACTOR_NAMES, UNSAID, load_storybook
from bnvae.data.storybook.reading import cause_spans, read_causes
from bnvae.data.text.sentences import Corpus


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return load_storybook(DataConfig(training_examples=8_000), lambda what, share: None)


def test_reading_every_generated_sentence_gives_back_its_own_causes(corpus: Corpus) -> None:
    open_tenses = 0
    for sentences in (corpus.training, corpus.test):
        for index, line in enumerate(sentences.lines):
            truth = {
                name: values[index]
                for name, values in sentences.factors.items()
                if FACTOR_NAMES[name][values[index]] != UNSAID
            }
            told = read_causes(line)
            if "tense" not in told:
                assert " read " in line, line
                open_tenses += 1
                del truth["tense"]
            assert told == truth, line
    assert 0 < open_tenses < 100


def test_a_span_is_made_of_the_words_that_tell_its_cause(corpus: Corpus) -> None:
    for line in corpus.test.lines:
        for span in cause_spans(line):
            words = line[span.start : span.end]
            if span.cause in ("who", "object", "place", "time"):
                assert words == FACTOR_NAMES[span.cause][span.value]
            assert words == words.strip() != ""


def test_the_spans_of_one_sentence_are_the_ones_a_reader_would_mark() -> None:
    line = "the cheerful king was carrying a bright lantern late at night ."
    marked = [(span.cause, line[span.start : span.end], span.value) for span in cause_spans(line)]
    assert marked == [
        ("mood", "cheerful", 0),
        ("who", "king", 7),
        ("tense", "was", 0),
        ("action", "carrying", 2),
        ("aspect", "carrying", 1),
        ("object", "a bright lantern", FACTOR_NAMES["object"].index("a bright lantern")),
        ("time", "late at night", 7),
    ]


def test_of_two_characters_the_first_acts() -> None:
    causes = read_causes("at noon , the owl and the old man sadly hide a letter .")
    assert FACTOR_NAMES["who"][causes["who"]] == "owl"
    assert FACTOR_NAMES["form"][causes["form"]] == "two together"
    assert FACTOR_NAMES["tense"][causes["tense"]] == "present"


@pytest.mark.parametrize(
    ("line", "tense"),
    [
        ('" i read a letter by the sea , " said the fox sadly .', None),
        ("at noon , the owl and the fox sadly read a letter .", None),
        ("at noon , the owl sadly read a letter by the sea .", "past"),
        ("did the merry owl read a letter by the sea ?", "past"),
        ("at noon , the owl and the fox will sadly read a letter .", "future"),
    ],
)
def test_a_form_that_fits_two_tenses_tells_none(line: str, tense: str | None) -> None:
    told = read_causes(line).get("tense")
    assert (None if told is None else FACTOR_NAMES["tense"][told]) == tense


def test_a_phrase_with_the_word_of_an_action_is_not_that_action() -> None:
    causes = read_causes("with a light heart , the owl sang a song in the tower .")
    assert FACTOR_NAMES["action"][causes["action"]] == "sing"
    assert FACTOR_NAMES["mood"][causes["mood"]] == "happy"


def test_text_that_tells_nothing_has_no_causes() -> None:
    assert read_causes("") == {}
    assert read_causes("nothing of this is known □ .") == {}
