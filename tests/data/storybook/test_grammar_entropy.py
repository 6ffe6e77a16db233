from math import log

import pytest

from bnvae.data.storybook.grammar import FORMS
from bnvae.data.storybook.grammar_entropy import grammar_entropy
from bnvae.data.storybook.lexicon import ACTIONS, CHARACTERS, PLACES, TIMES


def test_the_entropy_is_the_sum_over_what_each_form_chooses_by_hand() -> None:
    who, place, time = log(len(CHARACTERS)), log(len(PLACES)), log(len(TIMES))
    friend = log(len(CHARACTERS) - 1)
    # Five moods, with three words each, or two where the manner shows it.
    mood, manner = log(15), log(10)
    extra = {
        "plain": mood + log(3) + 2 / 3 * (place + time),  # the place, the time, or both
        "adverb": mood + place + time,
        "manner": manner + place,
        "while doing": mood + place,
        "doing first": mood + time,
        "there was": mood + place,
        "question": mood + log(3) + place,  # why, when, or neither
        "speech": mood + log(2) + place,  # said or says
        "two together": mood + friend + log(2) + (place + time) / 2,
        "with help": mood + friend + log(2) + (place + time) / 2,
    }
    assert set(extra) == set(FORMS)
    action = log(len(ACTIONS)) + sum(log(len(action.objects)) for action in ACTIONS) / len(ACTIONS)
    # "i read" and "they read" are past or present: two of six pairs of tense and aspect, in two of ten forms.
    read = 2 / 10 * (1 / len(ACTIONS)) * 2 / 6 * log(2)
    expected = log(10) + who + action + log(6) + sum(extra.values()) / 10 - read
    assert grammar_entropy() == pytest.approx(expected, abs=1e-9)


def test_the_entropy_is_about_eighteen_nats() -> None:
    assert grammar_entropy() == pytest.approx(18.23, abs=0.005)
