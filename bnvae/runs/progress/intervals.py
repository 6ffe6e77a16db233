"""How long a training waits between two checkpoints: what it loses to a kill, against what they cost it."""

CHECKPOINT_SECONDS = 10.0
"""between two, or more where one takes more than `CHECKPOINT_SHARE` of that: a large model, a slow disk"""
CHECKPOINT_SHARE = 0.03
CHECKPOINT_STRETCH = 12.0
"""times `CHECKPOINT_SECONDS` between two at most: a kill costs no more, nor does one that had to wait for room"""


def checkpoint_interval(cost_seconds: float) -> float:
    """Seconds until the next checkpoint after one that took so many."""
    stretch = cost_seconds / (CHECKPOINT_SHARE * CHECKPOINT_SECONDS)
    return CHECKPOINT_SECONDS * max(1.0, min(stretch, CHECKPOINT_STRETCH))
