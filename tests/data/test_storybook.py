import re
from collections import Counter

import pytest

from bnvae.config import DataConfig
from bnvae.data import UNKNOWN, load_dataset
from bnvae.data.sentences import Corpus
from bnvae.data.storybook import UNSAID, load_storybook, sentence
from bnvae.data.storybook_grammar import FORMS
from bnvae.data.storybook_words import ACTIONS, MOODS


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return load_storybook(DataConfig(), lambda what, share: None)


def test_a_sentence_depends_on_seed_split_and_number_alone(corpus: Corpus) -> None:
    assert corpus.training.lines[1234] == sentence(0, "training", 1234)[0]
    assert sentence(0, "training", 7)[0] != sentence(1, "training", 7)[0]


def test_no_test_sentence_is_trained_on(corpus: Corpus) -> None:
    assert not set(corpus.training.lines) & set(corpus.test.lines)


def test_no_test_sentence_is_trained_on_under_another_seed(corpus: Corpus) -> None:
    other = load_storybook(DataConfig(seed=1, training_examples=5_000), lambda what, share: None)
    assert not set(other.training.lines) & set(corpus.test.lines)


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
