"""The words of the storybook: who, doing what, to what, where, when, and in which mood."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Action:
    """The forms of a verb and the things one does it to."""

    base: str
    present: str
    past: str
    ongoing: str
    objects: tuple[str, ...]


@dataclass(frozen=True)
class Mood:
    """The words that show a mood. `while_doing` and `manner` end or begin a sentence, whatever its tense."""

    name: str
    adjectives: tuple[str, ...]
    adverbs: tuple[str, ...]
    while_doing: tuple[str, ...]
    manner: tuple[str, ...]


CHARACTERS = (
    "fox", "bear", "owl", "mouse", "rabbit", "dragon", "giant", "king", "queen", "knight",
    "baker", "miller", "sailor", "shepherd", "gardener", "wizard", "grandmother", "little girl", "young boy", "old man",
)  # fmt: skip

PLACES = (
    "in the garden", "in the kitchen", "in the forest", "in the tower", "in the village", "by the river", "by the sea",
    "by the fire", "at the market", "at the mill", "under the bridge", "under the old oak", "on the hill",
    "on the roof", "near the castle", "behind the barn",
)  # fmt: skip

TIMES = (
    "at noon", "at midnight", "at dawn", "at sunset", "after supper", "before breakfast", "in the morning",
    "late at night", "on a rainy day", "on a winter evening", "in the spring", "during the storm",
)  # fmt: skip

_THINGS = ("a silver key", "an old map", "a golden ring", "a wooden box", "a tiny bell", "the lost crown")
_LIGHT = ("a bright lantern", "the candle", "a small fire")
_FOOD = ("an apple pie", "a honey cake", "some warm bread", "a pot of soup")
_WORDS = ("a letter", "a poem", "a strange story", "a secret")
_PLANTS = ("a red rose", "an apple tree", "some wild flowers")
_CLOTHES = ("a blue coat", "the red hat", "a pair of boots")
_MADE = ("a paper boat", "a wooden chair", "a snow house", "a kite")
_ANIMALS = ("a black cat", "the white horse", "a lost lamb", "a butterfly")

ACTIONS = (
    Action("bury", "buries", "buried", "burying", (*_THINGS, "some beans")),
    Action("hide", "hides", "hid", "hiding", (*_THINGS, "a letter", "an apple pie")),
    Action("carry", "carries", "carried", "carrying", (*_THINGS, *_FOOD, "a bright lantern")),
    Action("bake", "bakes", "baked", "baking", ("an apple pie", "a honey cake", "some warm bread")),
    Action("eat", "eats", "ate", "eating", (*_FOOD, "some beans")),
    Action("write", "writes", "wrote", "writing", (*_WORDS[:3], "a song")),
    Action("read", "reads", "read", "reading", (*_WORDS[:3], "an old map")),
    Action("tell", "tells", "told", "telling", (*_WORDS[2:], "an old joke")),
    Action("sing", "sings", "sang", "singing", ("a song", "an old tune")),
    Action("light", "lights", "lit", "lighting", _LIGHT),
    Action("plant", "plants", "planted", "planting", _PLANTS),
    Action("paint", "paints", "painted", "painting", (*_PLANTS, *_ANIMALS[:2], "a wooden chair", "the moon")),
    Action("draw", "draws", "drew", "drawing", (*_ANIMALS[:2], "an old map", "the moon")),
    Action("build", "builds", "built", "building", _MADE),
    Action("mend", "mends", "mended", "mending", (*_CLOTHES, "a wooden chair", "a kite")),
    Action("wash", "washes", "washed", "washing", (*_CLOTHES, *_ANIMALS[:2])),
    Action("feed", "feeds", "fed", "feeding", _ANIMALS[:3]),
    Action("chase", "chases", "chased", "chasing", _ANIMALS),
    Action("watch", "watches", "watched", "watching", (*_ANIMALS, "the moon", "the clouds")),
)

OBJECTS = tuple(dict.fromkeys(thing for action in ACTIONS for thing in action.objects))

MOODS = (
    Mood("happy", ("cheerful", "merry", "happy"), ("happily", "merrily", "gladly"),
         ("humming a tune", "laughing out loud", "dancing for joy"),
         ("with a big smile", "with a light heart")),
    Mood("sad", ("lonely", "unhappy", "tearful"), ("sadly", "gloomily", "tearfully"),
         ("fighting back tears", "sighing all the while", "weeping softly"),
         ("with a heavy heart", "with a long sigh")),
    Mood("angry", ("furious", "grumpy", "angry"), ("angrily", "crossly", "furiously"),
         ("grumbling all the while", "shouting at everyone", "stamping the ground"),
         ("with a dark frown", "with burning cheeks")),
    Mood("calm", ("patient", "peaceful", "gentle"), ("calmly", "quietly", "patiently"),
         ("taking plenty of time", "resting now and then", "thinking of nothing"),
         ("with a steady hand", "without any hurry")),
    Mood("afraid", ("nervous", "frightened", "timid"), ("nervously", "fearfully", "timidly"),
         ("trembling all over", "jumping at every sound", "looking over one shoulder"),
         ("with shaking knees", "with a pounding heart")),
)  # fmt: skip
