"""One slider for tau: posteriors, KL, budget, price and decoded samples move while it is dragged."""

from pages.shared.frame import frame
from pages.shared.panels import readable
from pages.shared.state import choose_runs
from pages.shared.tau.panels import explore

frame("Tau", "What does τ buy, and what does it cost? Drag it, and everything moves under your finger.")

explore(readable(choose_runs(trained=True)))
