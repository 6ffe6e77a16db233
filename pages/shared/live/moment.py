"""What there is to see of some runs now, reckoned once for all visitors who look at them and until a file changes."""

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, final

from bnvae.config.schema import RunConfig
from bnvae.jobs.heartbeat import is_silent
from bnvae.jobs.launch import state
from bnvae.runs import Run, Status
from bnvae.runs.progress.history import HISTORY
from pages.shared.cache import version
from pages.shared.live.panels import training_panels
from pages.shared.panels import histories, preview_sections, readable
from pages.shared.state import store

MOST_KEPT = 32
WATCHED_FILES = (
    "config.json", HISTORY, "live.json", "preview.npz", "evaluation.json", "steering.json", "control.json", "snapshots",
)  # fmt: skip


@final
@dataclass(frozen=True, kw_only=True)
class Moment:
    """What a page shows of its runs, and what of it only the page's script can show."""

    light: dict[str, dict[str, Any]]
    """data of each panel by its name"""
    heavy: dict[str, dict[str, Any]]
    """the same, of pictures and such, which seldom change"""
    problems: tuple[tuple[Run, Exception], ...] = ()
    """runs that can't be shown, and why"""
    readable: tuple[Run, ...] = ()
    shown: tuple[tuple[Run, RunConfig], ...] = ()
    standing: str = ""
    """changes when a page has to offer other buttons, or has other problems to tell"""
    alive: bool = False
    """whether one of the runs is being trained"""

    @property
    def panels(self) -> dict[str, dict[str, Any]]:
        return {name: self.light.get(name, {}) | self.heavy.get(name, {}) for name in self.light | self.heavy}


States = dict[Run, Status]
Build = Callable[[Sequence[Run], States], Moment]


@dataclass
class _Kept:
    lock: threading.Lock = field(default_factory=threading.Lock)
    seen: object = None
    moment: Moment | None = None


@final
class Moments:
    """Moments of sets of runs: each is built by whoever asks first, while others who ask for the same wait for it."""

    def __init__(self, build: Build) -> None:
        self._build = build
        self._kept: OrderedDict[tuple[str, ...], _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, runs: Sequence[Run]) -> Moment:
        """As their folders are now."""
        kept = self._entry(tuple(str(run.folder) for run in runs))
        with kept.lock:
            states = {run: state(run) for run in runs}
            seen = [_looks(run, states[run]) for run in runs]
            if kept.moment is None or seen != kept.seen:
                kept.moment, kept.seen = self._build(runs, states), seen
            return kept.moment

    def _entry(self, key: tuple[str, ...]) -> _Kept:
        with self._lock:
            kept = self._kept.setdefault(key, _Kept())
            self._kept.move_to_end(key)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
            return kept


def _looks(run: Run, status: Status) -> tuple[object, ...]:
    """Equal as long as nothing of the run that is shown changed."""
    return status, is_silent(run), _has_checkpoint(run), *(version(run, name) for name in WATCHED_FILES)


def _has_checkpoint(run: Run) -> bool:
    return any(run.folder.glob("trainer-*.json"))


def training_moment(runs: Sequence[Run], states: States) -> Moment:
    """All the panels of the Train and Race pages."""
    problems: list[tuple[Run, Exception]] = []

    def blame(run: Run, error: Exception) -> None:
        problems.append((run, error))

    whole = readable(runs, blame)
    found = histories(whole, blame)
    shown = tuple((run, config) for run, config, _ in found)
    heavy = {"previews": preview_sections(shown, blame)} if shown else {}
    now = standing(states, problems)
    return Moment(
        light=training_panels(found, states) | {"pulse": {"standing": now}},
        heavy=heavy,
        problems=tuple(problems),
        readable=tuple(run for run, _ in whole),
        shown=shown,
        standing=now,
        alive=any(status.alive for status in states.values()),
    )


def standing(states: States, problems: Sequence[tuple[Run, Exception]]) -> str:
    """What the buttons and the words of a page's script depend on, in a few letters that say nothing of a folder."""
    buttons = [
        (
            run.id,
            status.state,
            status.not_finite,
            is_silent(run),
            _has_checkpoint(run),
            run.desk.control().steps_per_second is None,
            version(run, "steering.json"),
        )
        for run, status in states.items()
    ]
    said = json.dumps([buttons, [(run.id, str(error)) for run, error in problems]])
    return hashlib.sha256(said.encode()).hexdigest()[:16]


TRAINING = Moments(training_moment)


def runs_named(run_ids: Sequence[str]) -> list[Run]:
    """Those of the runs that are here."""
    there = store()
    return [there.get(run_id) for run_id in run_ids if run_id in there]
