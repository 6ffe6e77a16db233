"""Short English sentences with known causes, from a small grammar made for this project.

Each sentence is a function of (seed, split, i) alone, and no sentence can be in two splits: its own text decides
which of them it may belong to. Where none are held back for validation, those that would be may be trained on.
"""

import hashlib
from collections.abc import Sequence

from bnvae.config.schema import DataConfig
from bnvae.data.limits import Progress, training_count
from bnvae.data.storybook.grammar import ASPECTS, FORMS, TENSES, Dice, Scene
from bnvae.data.storybook.lexicon import ACTIONS, CHARACTERS, MOODS, OBJECTS, PLACES, TIMES
from bnvae.data.text.sentences import Corpus, Sentences

TRAINING_EXAMPLES, VALIDATION_EXAMPLES, TEST_EXAMPLES = 20_000, 2_000, 2_000
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
_HELD_SHARE_OF_ALL_SENTENCES = 1 / 8
"""for testing, and as many for validation"""


def load_storybook(config: DataConfig, progress: Progress) -> Corpus:
    """20,000 sentences for training, 2,000 each for validation and testing; the label is the mood."""
    count, validated = training_count(config, TRAINING_EXAMPLES), config.validation_share > 0
    progress("telling stories", 0.0)
    training = _tell(config.seed, "training", count, validated=validated)
    progress("telling stories", count / (count + VALIDATION_EXAMPLES + TEST_EXAMPLES))
    return Corpus(
        training=training,
        validation=_tell(config.seed, "validation", VALIDATION_EXAMPLES) if validated else None,
        test=_tell(config.seed, "test", TEST_EXAMPLES),
        label_names=tuple(mood.name for mood in MOODS),
        factor_names=FACTOR_NAMES,
    )


def sentence(seed: int, split: str, index: int, *, validated: bool = True) -> tuple[str, dict[str, int]]:
    """Sentence `index` of a split and the causes that it shows, as indices into the names of each factor.

    `validated` says whether sentences are held back for validation: then none of those is in the training split.
    """
    attempt = 0
    while True:
        told, factors = _sentence_from(Dice(f"{seed} {split} {index} {attempt}"))
        if _split_of(told, validated=validated) == split:
            return told, factors
        attempt += 1


def _tell(seed: int, split: str, count: int, *, validated: bool = True) -> Sentences:
    lines, rows = [], []
    for index in range(count):
        line, factors = sentence(seed, split, index, validated=validated)
        lines.append(line)
        rows.append(factors)
    factors_by_name: dict[str, Sequence[int]] = {name: [row[name] for row in rows] for name in rows[0]}
    return Sentences(lines=lines, labels=factors_by_name["mood"], factors=factors_by_name)


def _split_of(line: str, *, validated: bool) -> str:
    share = hashlib.blake2b(line.encode(), digest_size=1).digest()[0] / 256
    if share < _HELD_SHARE_OF_ALL_SENTENCES:
        return "test"
    return "validation" if validated and share < 2 * _HELD_SHARE_OF_ALL_SENTENCES else "training"


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
