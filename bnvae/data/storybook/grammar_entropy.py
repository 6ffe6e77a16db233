"""The entropy of the storybook's grammar: the least that any model can pay for a sentence."""

import math
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

from bnvae.data.storybook.grammar import ASPECTS, FORMS, TENSES, Dice, Scene
from bnvae.data.storybook.lexicon import ACTIONS, CHARACTERS, MOODS, OBJECTS, PLACES, TIMES


@cache
def grammar_entropy() -> float:
    """Entropy of a sentence of the grammar, -E ln p(sentence), in nats: about 18.23.

    Exact: every form is told with every throw of its dice, action, object, tense and aspect, and equal sentences are
    counted together. Mood, character, place and time need not be enumerated: where a sentence says one, each of its
    values is as likely and makes another sentence, which adds the logarithm of their number.

    No model has a smaller expected NLL over all sentences of the grammar, and -ELBO is at least the NLL. The test split
    is an eighth of all sentences, chosen by their text and not by their frequency, so its own entropy is lower; but a
    model can't know which sentences were chosen.
    """
    # Each mood has as many words of each kind as the others, which makes moods alike.
    assert len({(len(m.adjectives), len(m.adverbs), len(m.while_doing), len(m.manner)) for m in MOODS}) == 1
    probabilities: dict[str, float] = defaultdict(float)
    for form in FORMS:
        for line, probability in _tellings(form):
            probabilities[line] += probability / len(FORMS)
    return sum(p * (_said(line) - math.log(p)) for line, p in probabilities.items())


def _said(line: str) -> float:
    """Logarithm of the number of equally likely sentences that differ from this one in mood, who, place and time."""
    said = f" {line} "
    numbers = [len(MOODS), len(CHARACTERS)]
    numbers += [len(names) for names in (PLACES, TIMES) if f" {names[0]} " in said]
    return sum(map(math.log, numbers))


def _tellings(form: str) -> Iterator[tuple[str, float]]:
    """The form's sentences with the first mood, character, place and time, each with its probability given these."""
    for index, action in enumerate(ACTIONS):
        for thing in action.objects:
            for tense in range(len(TENSES)):
                for aspect in range(len(ASPECTS)):
                    scene = Scene(
                        mood=0,
                        who=0,
                        action=index,
                        object=OBJECTS.index(thing),
                        place=0,
                        time=0,
                        tense=tense,
                        aspect=aspect,
                    )
                    choices = len(ACTIONS) * len(action.objects) * len(TENSES) * len(ASPECTS)
                    for line, probability in _throws(form, scene):
                        yield line, probability / choices


def _throws(form: str, scene: Scene) -> Iterator[tuple[str, float]]:
    """The form's sentence for every throw of its dice, with the throw's probability."""
    dice = _EveryThrow()
    while True:
        dice.begin()
        line = FORMS[form](scene, dice)
        yield line, 1 / math.prod(dice.sides)
        if not dice.turn():
            return


class _EveryThrow(Dice):
    """Dice that show all their faces in turn, the last thrown the fastest."""

    def __init__(self) -> None:
        super().__init__("")
        self.faces: list[int] = []
        self.sides: list[int] = []

    def begin(self) -> None:
        self.sides = []

    def throw(self, sides: int) -> int:
        if len(self.sides) == len(self.faces):
            self.faces.append(0)
        self.sides.append(sides)
        return self.faces[len(self.sides) - 1]

    def turn(self) -> bool:
        """Go on to the next faces; False after the last."""
        while self.faces:
            if self.faces[-1] + 1 < self.sides[len(self.faces) - 1]:
                self.faces[-1] += 1
                return True
            self.faces.pop()
        return False
