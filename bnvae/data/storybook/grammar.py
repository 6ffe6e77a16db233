"""The grammar of the storybook: ten forms of sentence, each telling a scene in its tense, aspect and mood."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bnvae.data.storybook.lexicon import ACTIONS, CHARACTERS, MOODS, OBJECTS, PLACES, TIMES, Action, Mood

TENSES = ("past", "present", "future")
ASPECTS = ("simple", "ongoing")
ONGOING = 1


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What a sentence tells: indices into the word lists."""

    mood: int
    who: int
    action: int
    object: int
    place: int
    time: int
    tense: int
    aspect: int


class Dice:
    """Choices decided by a text: the same text always throws the same numbers."""

    def __init__(self, text: str) -> None:
        self._left = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=32).digest(), "big")

    def throw(self, sides: int) -> int:
        self._left, face = divmod(self._left, sides)
        return face

    def pick(self, options: Sequence[str]) -> str:
        return options[self.throw(len(options))]


def _mood(scene: Scene) -> Mood:
    return MOODS[scene.mood]


def _action(scene: Scene) -> Action:
    return ACTIONS[scene.action]


def _verb(scene: Scene, adverb: str = "", *, plural: bool = False) -> str:
    """The verb in its tense and aspect for others than the speaker: "will happily bake"."""
    action, how = _action(scene), f"{adverb} " if adverb else ""
    if scene.aspect == ONGOING:
        be = ("were", "are", "will be") if plural else ("was", "is", "will be")
        return f"{be[scene.tense]} {how}{action.ongoing}"
    present = action.base if plural else action.present
    return (f"{how}{action.past}", f"{how}{present}", f"will {how}{action.base}")[scene.tense]


def _asked(scene: Scene, subject: str) -> str:
    """Verb and subject of a question: "did the owl bake", "will the owl be baking"."""
    action = _action(scene)
    if scene.aspect == ONGOING:
        return f"{('was', 'is', 'will')[scene.tense]} {subject} {'be ' if scene.tense == 2 else ''}{action.ongoing}"
    return f"{('did', 'does', 'will')[scene.tense]} {subject} {action.base}"


def _own_words(scene: Scene) -> str:
    """The verb as its doer says it: "i am baking"."""
    action = _action(scene)
    if scene.aspect == ONGOING:
        return f"i {('was', 'am', 'will be')[scene.tense]} {action.ongoing}"
    return f"i {(action.past, action.base, f'will {action.base}')[scene.tense]}"


def _who(scene: Scene) -> str:
    return CHARACTERS[scene.who]


def _what(scene: Scene) -> str:
    return OBJECTS[scene.object]


def _place(scene: Scene) -> str:
    return PLACES[scene.place]


def _time(scene: Scene) -> str:
    return TIMES[scene.time]


def _plain(scene: Scene, dice: Dice) -> str:
    where = (_place(scene), _time(scene), f"{_place(scene)} {_time(scene)}")[dice.throw(3)]
    return f"the {dice.pick(_mood(scene).adjectives)} {_who(scene)} {_verb(scene)} {_what(scene)} {where} ."


def _with_adverb(scene: Scene, dice: Dice) -> str:
    verb = _verb(scene, dice.pick(_mood(scene).adverbs))
    return f"{_time(scene)} , the {_who(scene)} {verb} {_what(scene)} {_place(scene)} ."


def _with_manner(scene: Scene, dice: Dice) -> str:
    return f"{dice.pick(_mood(scene).manner)} , the {_who(scene)} {_verb(scene)} {_what(scene)} {_place(scene)} ."


def _while_doing(scene: Scene, dice: Dice) -> str:
    end = f"{_place(scene)} , {dice.pick(_mood(scene).while_doing)}"
    return f"the {_who(scene)} {_verb(scene)} {_what(scene)} {end} ."


def _doing_first(scene: Scene, dice: Dice) -> str:
    start = f"{dice.pick(_mood(scene).while_doing)} , the {_who(scene)}"
    return f"{start} {_verb(scene)} {_what(scene)} {_time(scene)} ."


def _there_was(scene: Scene, dice: Dice) -> str:
    be = ("once there was", "there is", "one day there will be")[scene.tense]
    adjective = dice.pick(_mood(scene).adjectives)
    article = "an" if adjective[0] in "aeiou" else "a"
    return f"{be} {article} {adjective} {_who(scene)} who {_verb(scene)} {_what(scene)} {_place(scene)} ."


def _question(scene: Scene, dice: Dice) -> str:
    word = ("why", "when", "")[dice.throw(3)]
    subject = f"the {dice.pick(_mood(scene).adjectives)} {_who(scene)}"
    return f"{word} {_asked(scene, subject)} {_what(scene)} {_place(scene)} ?".lstrip()


def _speech(scene: Scene, dice: Dice) -> str:
    said, adverb = dice.pick(("said", "says")), dice.pick(_mood(scene).adverbs)
    return f'" {_own_words(scene)} {_what(scene)} {_place(scene)} , " {said} the {_who(scene)} {adverb} .'


def _two_together(scene: Scene, dice: Dice) -> str:
    pair = f"the {_who(scene)} and the {_friend(scene, dice)}"
    verb = _verb(scene, dice.pick(_mood(scene).adverbs), plural=True)
    start = (_place(scene), _time(scene))[dice.throw(2)]
    return f"{start} , {pair} {verb} {_what(scene)} ."


def _with_help(scene: Scene, dice: Dice) -> str:
    doer = f"the {dice.pick(_mood(scene).adjectives)} {_who(scene)}"
    helps = ("helped", "helps", "will help")[scene.tense]
    where = (_place(scene), _time(scene))[dice.throw(2)]
    return f"{doer} {_verb(scene)} {_what(scene)} {where} , and the {_friend(scene, dice)} {helps} ."


def _friend(scene: Scene, dice: Dice) -> str:
    return CHARACTERS[(scene.who + 1 + dice.throw(len(CHARACTERS) - 1)) % len(CHARACTERS)]


FORMS: dict[str, Callable[[Scene, Dice], str]] = {
    "plain": _plain,
    "adverb": _with_adverb,
    "manner": _with_manner,
    "while doing": _while_doing,
    "doing first": _doing_first,
    "there was": _there_was,
    "question": _question,
    "speech": _speech,
    "two together": _two_together,
    "with help": _with_help,
}
