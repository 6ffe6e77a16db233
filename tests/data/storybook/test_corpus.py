import re
from collections import Counter

import pytest

from bnvae.config.schema import DataConfig
from bnvae.data import UNKNOWN, load_dataset
from bnvae.data.storybook.corpus import UNSAID, load_storybook, sentence
from bnvae.data.storybook.grammar import FORMS
from bnvae.data.storybook.lexicon import ACTIONS, MOODS
from bnvae.data.text.sentences import Corpus


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return load_storybook(DataConfig(), lambda what, share: None)


def test_a_sentence_depends_on_seed_split_and_number_alone(corpus: Corpus) -> None:
    assert corpus.training.lines[1234] == sentence(0, "training", 1234)[0]
    assert sentence(0, "training", 7)[0] != sentence(1, "training", 7)[0]


def test_no_sentence_is_in_two_splits(corpus: Corpus) -> None:
    assert corpus.validation is not None
    parts = [set(part.lines) for part in (corpus.training, corpus.validation, corpus.test)]
    assert len(set.union(*parts)) == sum(map(len, parts))
    assert len(corpus.validation.lines) == 2_000


def test_no_sentence_that_is_held_back_is_trained_on_under_another_seed(corpus: Corpus) -> None:
    assert corpus.validation is not None
    other = load_storybook(DataConfig(seed=1, training_examples=5_000), lambda what, share: None)
    assert not set(other.training.lines) & {*corpus.validation.lines, *corpus.test.lines}


def test_without_a_validation_split_the_sentences_are_those_of_earlier_versions(corpus: Corpus) -> None:
    older = load_storybook(DataConfig(validation_share=0.0), lambda what, share: None)
    assert older.validation is None
    assert older.test.lines == corpus.test.lines
    # Kept with runs of those versions, as `data.json` in the bundled ones.
    digest = "9d52e1830a19"
    assert load_dataset(DataConfig(validation_share=0.0)).digest.startswith(digest)


def test_sentences_hardly_repeat(corpus: Corpus) -> None:
    assert len(set(corpus.training.lines)) > 0.99 * len(corpus.training.lines)


def test_sentences_have_six_to_twenty_words(corpus: Corpus) -> None:
    lengths = [len(re.findall(r"\w+", line)) for line in corpus.training.lines]
    assert min(lengths) >= 6
    assert max(lengths) <= 20


def test_lines_are_lower_case_with_every_token_between_blanks(corpus: Corpus) -> None:
    for line in corpus.training.lines[:3_000]:
        assert re.fullmatch(r"(?:[a-z]+|[.,?\"])(?: (?:[a-z]+|[.,?\"]))*", line), line


def test_the_vocabulary_is_small_and_complete() -> None:
    dataset = load_dataset(DataConfig(training_examples=5_000))
    assert dataset.tokenizer is not None
    assert 200 <= dataset.tokenizer.get_vocab_size() <= 350
    assert not (dataset.test.examples == UNKNOWN).any()


def test_moods_and_forms_are_equally_frequent(corpus: Corpus) -> None:
    for factor, kinds in (("mood", len(MOODS)), ("form", len(FORMS))):
        counts = Counter(corpus.training.factors[factor])
        assert len(counts) == kinds
        assert all(abs(count * kinds / 20_000 - 1) < 0.12 for count in counts.values())  # five standard errors


def test_a_mood_is_told_by_words_of_its_own(corpus: Corpus) -> None:
    told = [{*mood.adjectives, *mood.adverbs, *mood.manner, *mood.while_doing} for mood in MOODS]
    for line, mood in zip(corpus.training.lines[:2_000], corpus.training.labels, strict=False):
        shown = {index for index, words in enumerate(told) if any(f" {word} " in f" {line} " for word in words)}
        assert shown == {mood}, line


@pytest.mark.parametrize("factor", ["who", "object", "place", "time"])
def test_factors_are_what_the_sentence_says(corpus: Corpus, factor: str) -> None:
    names = corpus.factor_names[factor]
    for line, value in zip(corpus.test.lines, corpus.test.factors[factor], strict=True):
        if names[value] == UNSAID:
            assert not any(f" {name} " in f" {line} " for name in names)
        else:
            assert f" {names[value]} " in f" {line} "


def test_the_verb_is_in_the_tense_that_the_factors_say(corpus: Corpus) -> None:
    factors = corpus.test.factors
    for index, line in enumerate(corpus.test.lines):
        action, tense = ACTIONS[factors["action"][index]], factors["tense"][index]
        assert ("will" in line.split()) == (tense == 2), line
        if factors["aspect"][index] == 1:
            assert action.ongoing in line.split(), line


def test_articles_fit_the_next_word(corpus: Corpus) -> None:
    text = " ".join(corpus.training.lines)
    assert not re.search(r"\ba [aeiou]", text)
    assert not re.search(r"\ban [^aeiou]", text)
