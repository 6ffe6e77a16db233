"""The colours of everything drawn, apart from any drawing library: pages need them before plotly."""

from collections.abc import Sequence

from bnvae.config.schema import HeadName

# From the palette of Okabe and Ito (2008), which red-green-blind people can tell apart. The bright ones are darkened
# until they stand out 3:1 (WCAG 2.2, 1.4.11) from a white page as well as from a dark one; a test measures both.
HEAD_COLOURS: dict[HeadName, str] = {
    "gaussian": "#D55E00",
    "bn-mean": "#C46FA0",
    "bn-scaler": "#009E73",
    "rms-scaler": "#0072B2",
    "ln-mean": "#7A7A7A",
}
OTHER_COLOURS = ("#4B4BE1", "#B43C2D", "#964B87", "#5AA52D", "#3C78E1", "#4BA55A", "#B42D4B", "#5A96E1")
"""for a second run with the same head: apart from all heads and from each other, to red-green-blind eyes too"""

DISTORTION_COLOUR = "#4596C8"
RATE_COLOUR = "#C98700"
MEAN_COLOUR = RATE_COLOUR
"""what belongs to the posterior means: what z tells apart is what the rate pays for"""
STD_COLOUR = DISTORTION_COLOUR
"""what belongs to the posterior stds: noise"""
TAU_COLOUR = "#7C5CC4"
THETA_COLOUR = "#00906A"
HOLE_COLOUR = "#D55E00"
"""where the prior has mass and no posterior is near"""

CAUSE_COLOURS: dict[str, str] = {
    "mood": "#C46FA0",
    "who": "#0072B2",
    "action": "#D55E00",
    "object": "#7C5CC4",
    "place": "#009E73",
    "time": "#B07A00",
    "tense": "#7A7A7A",
    "aspect": "#7A7A7A",
}
"""of words that tell a known cause of a sentence; tense and aspect, which a verb's form tells, are not told apart"""
KEPT_COLOUR = "#009E73"
"""of words that a reconstruction shares with a sentence whose causes are not known"""


def run_colours(heads: Sequence[HeadName]) -> list[str]:
    """A colour for each run of a view, in their order: its head's own, another where an earlier run has that.

    All are different up to 12 runs, and adding a run at the end changes no other's colour among the first eight.
    """
    spare = [*OTHER_COLOURS, *(colour for head, colour in HEAD_COLOURS.items() if head not in heads)]
    found: list[str] = []
    for head in heads:
        own = HEAD_COLOURS[head]
        free = [colour for colour in spare if colour not in found]
        found.append(own if own not in found or not free else free[0])
    return found
