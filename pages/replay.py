"""The recorded history of one to four trainings under one slider."""

from pages.shared.frame import frame
from pages.shared.live.film import replay
from pages.shared.state import choose_runs

frame("Replay", "How did it come to this? Drag through the training and watch every panel move.")

replay(choose_runs())
