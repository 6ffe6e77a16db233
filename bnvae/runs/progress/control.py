"""What a visitor tells a worker, through files of the run: how fast to go, when to stop, what to change."""

import dataclasses
import json
import os
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, final

from bnvae.config.scheduled_changes import Change
from bnvae.runs.storage.atomic_files import BrokenRunError, read_bytes, read_json, write_json

CONTROL, STOP, CHANGES, REQUESTS = "control.json", "stop", "steering.json", "requests"
ASKED = "asked"
MOST_CHANGES = 1_000
MOST_REQUEST_BYTES = 10_000
CLOCK_TICK_NS = 2_000_000_000
"""the coarsest clock of a file system: FAT's"""


@final
@dataclass(frozen=True, kw_only=True)
class Control:
    """The pace of a training. The last word holds; a worker that is started anew obeys it as well."""

    pause_at: int | None = None
    """wait when so many steps were taken, or more; None: never"""
    steps_per_second: float | None = None
    """slow motion; None: as fast as it goes"""
    stop: bool = False
    """save and end; a file of its own, so that a new pace of another visitor takes no stop back"""

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Self:
        """The pace. Raises ValueError if a value is of the wrong kind."""
        pause_at, speed = stored.get("pause_at"), stored.get("steps_per_second")
        if pause_at is not None and (isinstance(pause_at, bool) or not isinstance(pause_at, int) or pause_at < 0):
            raise ValueError(f"pause_at is {pause_at!r}: expected a step, or null.")
        if speed is not None and (isinstance(speed, bool) or not isinstance(speed, int | float) or not speed > 0):
            raise ValueError(f"steps_per_second is {speed!r}: expected a positive number, or null.")
        return cls(pause_at=pause_at, steps_per_second=speed)


PLAY, PAUSE = Control(), Control(pause_at=0)


@final
class Desk:
    """Both ends of the conversation about one run: pages write, its worker reads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen: tuple[int, int] | None = None
        self._control = Control()

    # -- a page's end -------------------------------------------------------------------------------------------------

    def command(self, control: Control) -> None:
        """Have the worker go at this pace from its next step on."""
        pace = {"pause_at": control.pause_at, "steps_per_second": control.steps_per_second}
        write_json(self.folder / CONTROL, pace)

    def ask_to_stop(self) -> None:
        """Have the worker save and end. An empty file: there is room for it on most disks that are full."""
        (self.folder / STOP).touch()

    def forget_stop(self) -> bool:
        """Take a stop back; whether one was asked for."""
        try:
            (self.folder / STOP).unlink()
        except FileNotFoundError:
            return False
        return True

    def request(self, field: str, value: float) -> None:
        """Ask for a change at the next step; requests of several visitors are taken in the order they were made."""
        request_of_all([self], field, value)

    # -- the worker's end ---------------------------------------------------------------------------------------------

    def control(self) -> Control:
        """The last command and whether to stop. A damaged command is no command."""
        pace = self._pace()
        return dataclasses.replace(pace, stop=True) if os.path.exists(self.folder / STOP) else pace

    def _pace(self) -> Control:
        """Read again only when the file changed."""
        try:
            stat = os.stat(self.folder / CONTROL)
        except OSError:
            self._seen, self._control = None, Control()
            return self._control
        if (stat.st_ino, stat.st_mtime_ns) != self._seen:
            # Two commands within a clock's tick may look alike from outside: one that is young is read again.
            is_young = time.time_ns() - stat.st_mtime_ns < CLOCK_TICK_NS
            self._seen = None if is_young else (stat.st_ino, stat.st_mtime_ns)
            try:
                self._control = Control.from_dict(read_json(self.folder / CONTROL))
            except ValueError:
                self._control = Control()
        return self._control

    def wishes(self) -> dict[str, frozenset[str]]:
        """Names of the requests waiting, the oldest first, each with the ids of all runs it was made of."""
        return {path.name: _asked(path) for path in self.requested()}

    def request_named(self, name: str) -> Path:
        """One of those in `wishes`."""
        return self.folder / REQUESTS / name

    def requested(self) -> list[Path]:
        """Requests waiting, the oldest first."""
        try:
            return sorted(path for path in (self.folder / REQUESTS).glob("*.json") if not path.is_dir())
        except OSError:
            return []

    def take(self, request: Path, step: int) -> Change:
        """One request as a change after `step`; to be dropped once the change is kept.

        Raises:
            ValueError: the request is damaged.
        """
        stored = _stored(request)
        stored.pop(ASKED, None)
        return Change.from_dict({**stored, "step": step})

    def drop(self, request: Path) -> None:
        """Take a request off the desk."""
        request.unlink(missing_ok=True)

    # -- the schedule -------------------------------------------------------------------------------------------------

    def changes(self) -> list[Change]:
        """Everything that was changed so far, in order.

        Raises:
            BrokenRunError: the schedule is damaged.
        """
        path = self.folder / CHANGES
        if not path.exists():
            return []
        try:
            stored = read_json(path)["changes"]
            if not isinstance(stored, list) or len(stored) > MOST_CHANGES:
                raise ValueError(f"expected a list of at most {MOST_CHANGES} changes.")
            return [Change.from_dict(change) for change in stored]
        except (KeyError, ValueError) as error:
            raise BrokenRunError(f"{self.folder.name}/{CHANGES}: {error}") from None

    def keep_changes(self, changes: list[Change]) -> None:
        """Write the schedule; before a change is applied, so that no step ever ran on one that is not kept."""
        if len(changes) > MOST_CHANGES:
            raise ValueError(f"this run was changed {MOST_CHANGES} times: start another from here to change more.")
        write_json(self.folder / CHANGES, {"changes": [change.to_dict() for change in changes]})


def request_of_all(desks: Sequence[Desk], field: str, value: float) -> None:
    """Ask several runs for the same change; those that race take it before the same step."""
    name = f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}.json"
    folders = [desk.folder for desk in desks]
    wish = {"field": field, "value": value, ASKED: [folder.name for folder in folders]}
    for folder in folders:
        (folder / REQUESTS).mkdir(exist_ok=True)
        write_json(folder / REQUESTS / name, wish)


def _stored(request: Path) -> dict[str, Any]:
    """Raises ValueError if the file is not a request."""
    try:
        stored = json.loads(read_bytes(request, MOST_REQUEST_BYTES))
    except RecursionError:
        raise ValueError(f"{request.name} is nested too deeply.") from None
    if not isinstance(stored, dict):
        raise ValueError(f"{request.name} is not a request.")
    return stored


def _asked(request: Path) -> frozenset[str]:
    """Ids of the runs it was made of; none of a damaged one, which is refused at once."""
    try:
        asked = _stored(request).get(ASKED)
    except ValueError:
        return frozenset()
    return frozenset(str(run_id) for run_id in asked) if isinstance(asked, list) else frozenset()
