"""The colours of everything drawn, apart from any drawing library: pages need them before plotly."""

from bnvae.config import HeadName

# From the palette of Okabe and Ito (2008), which red-green-blind people can tell apart. The bright ones are darkened
# until they stand out 3:1 (WCAG 2.2, 1.4.11) from a white page as well as from a dark one; a test measures both.
HEAD_COLOURS: dict[HeadName, str] = {
    "gaussian": "#D55E00",
    "bn-mean": "#C46FA0",
    "bn-scaler": "#009E73",
    "rms-scaler": "#0072B2",
    "ln-mean": "#7A7A7A",
}
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
