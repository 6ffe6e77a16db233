"""Short English sentences with known causes, from a small grammar made for this project.

Each sentence is a function of (seed, split, i) alone, and no sentence can be in both splits: its own text decides
which of the two it may belong to.
"""

import hashlib
from collections.abc import Sequence

from bnvae.config import DataConfig
from bnvae.data.limits import Progress, training_count
from bnvae.data.sentences import Corpus, Sentences
from bnvae.data.storybook_grammar import ASPECTS, FORMS, TENSES, Dice, Scene
from bnvae.data.storybook_words import ACTIONS, CHARACTERS, MOODS, OBJECTS, PLACES, TIMES

TRAINING_EXAMPLES, TEST_EXAMPLES = 20_000, 2_000
UNSAID = "unsaid"
FACTOR_NAMES: dict[str, tuple[str, ...]] = {
    "mood": tuple(mood.name for mood in MOODS),
    "who": CHARACTERS,
    "action": tuple(action.base for action in ACTIONS),
    "object": OBJECTS,
    "place": (*PLACES, UNSAID),
    "time": (*TIMES, UNSAID),
    "tense": TENSES,
    "aspect": ASPECTS,
    "form": tuple(FORMS),
}
_TEST_SHARE_OF_ALL_SENTENCES = 1 / 8


def load_storybook(config: DataConfig, progress: Progress) -> Corpus:
    """20,000 sentences for training and 2,000 for testing; the label is the mood."""
    count = training_count(config, TRAINING_EXAMPLES)
    progress("telling stories", 0.0)
    training = _tell(config.seed, "training", count)
    progress("telling stories", count / (count + TEST_EXAMPLES))
    return Corpus(
        training=training,
        test=_tell(config.seed, "test", TEST_EXAMPLES),
        label_names=tuple(mood.name for mood in MOODS),
        factor_names=FACTOR_NAMES,
    )


def sentence(seed: int, split: str, index: int) -> tuple[str, dict[str, int]]:
    """Sentence `index` of a split and the causes that it shows, as indices into the names of each factor."""
    attempt = 0
    while True:
        told, factors = _sentence_from(Dice(f"{seed} {split} {index} {attempt}"))
        if _belongs_to_test(told) == (split == "test"):
            return told, factors
        attempt += 1


def _tell(seed: int, split: str, count: int) -> Sentences:
    lines, rows = [], []
    for index in range(count):
        line, factors = sentence(seed, split, index)
        lines.append(line)
        rows.append(factors)
    factors_by_name: dict[str, Sequence[int]] = {name: [row[name] for row in rows] for name in rows[0]}
    return Sentences(lines=lines, labels=factors_by_name["mood"], factors=factors_by_name)


def _belongs_to_test(line: str) -> bool:
    first = hashlib.blake2b(line.encode(), digest_size=1).digest()[0]
    return first < 256 * _TEST_SHARE_OF_ALL_SENTENCES


def _sentence_from(dice: Dice) -> tuple[str, dict[str, int]]:
    action = dice.throw(len(ACTIONS))
    scene = Scene(
        mood=dice.throw(len(MOODS)),
        who=dice.throw(len(CHARACTERS)),
        action=action,
        object=OBJECTS.index(dice.pick(ACTIONS[action].objects)),
        place=dice.throw(len(PLACES)),
        time=dice.throw(len(TIMES)),
        tense=dice.throw(len(TENSES)),
        aspect=dice.throw(len(ASPECTS)),
    )
    form = dice.pick(tuple(FORMS))
    told = FORMS[form](scene, dice)
    said = f" {told} "
    factors = vars(scene) | {"form": tuple(FORMS).index(form)}
    if f" {PLACES[scene.place]} " not in said:
        factors["place"] = len(PLACES)
    if f" {TIMES[scene.time]} " not in said:
        factors["time"] = len(TIMES)
    return told, factors
