"""Whether workers that are said to train give signs of life, as a watching process sees it by its own clock."""

import threading
import time
from pathlib import Path

from bnvae.runs.beat import Beat, read_beat
from bnvae.runs.run import Run
from bnvae.runs.status import Status

SILENT_SECONDS = 4.0
"""without a new beat, of which there is one a second, after which a worker is said to be silent"""

_lock = threading.Lock()
_seen: dict[Path, tuple[int, float]] = {}
"""of each run with a beat: its count, and when it was first seen by a clock that never jumps"""


def silent_seconds(folder: Path, beat: Beat | None) -> float:
    """Since the last new beat, or since the first look (s); 0 for a run without one."""
    now = time.monotonic()
    with _lock:
        if beat is None:
            _seen.pop(folder, None)
            return 0.0
        count, since = _seen.get(folder, (None, now))
        if count != beat.count:
            _seen[folder] = (beat.count, since := now)
        return now - since


def is_silent(run: Run) -> bool:
    """Whether the run's worker lives and has given no sign of it for some seconds: it hangs, or its machine sleeps."""
    return run.status.alive and silent_seconds(run.folder, read_beat(run.folder)) > SILENT_SECONDS


def with_signs(run: Run, status: Status) -> Status:
    """A status that says as well what its worker could not say itself: that it hangs, or that the disk is full."""
    beat = read_beat(run.folder)
    if (silent := silent_seconds(run.folder, beat)) > SILENT_SECONDS:
        message = f"Its worker has given no sign of life for {silent:.0f} s: it hangs, or its machine sleeps."
        return status.replace(message=message)
    if beat is None:
        return status
    if beat.note:
        return status.replace(state="paused", message=beat.note)
    if beat.still_seconds > SILENT_SECONDS and beat.where:
        return status.replace(message=f"{status.message} For {beat.still_seconds:.0f} s in {beat.where}.")
    return status
