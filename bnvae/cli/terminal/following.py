"""Training runs to their end in this process: progress shown, their turn waited for, signals obeyed."""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bnvae.jobs.heartbeat import Heart
    from bnvae.runs import Run


def follow(*run_ids: str, quiet: bool, queue: bool = False, on_stop: Callable[[], object] = lambda: None) -> int:
    from bnvae.cli.terminal.progress import NoProgress, TerminalProgress
    from bnvae.jobs.heartbeat import beating
    from bnvae.jobs.launch import draw_maps_of
    from bnvae.jobs.train_runs import train_runs
    from bnvae.jobs.waiting_line import turn
    from bnvae.runs import RunStore

    every = [RunStore().get(run_id) for run_id in dict.fromkeys(run_ids)]
    runs = [run for run in every if run.status.state != "finished"]
    if not quiet:
        for run in every:
            if run not in runs:
                print(f"{run.id}: finished already; there is nothing to go on with.")
    if not runs:
        return 0

    def stop() -> None:
        on_stop()
        for run in runs:
            run.request_stop()

    with ExitStack() as stack:
        stack.enter_context(_stop_on_signals(stop))
        if queue:
            with beating([run.folder for run in runs]) as hearts:
                stack.enter_context(turn(RunStore().root, partial(_wait, runs, hearts)))
        progress: NoProgress | TerminalProgress = NoProgress() if quiet else TerminalProgress(runs)
        stack.enter_context(progress)
        statuses = train_runs(runs, progress.report)
    if not quiet:
        for run, status in zip(runs, statuses, strict=True):
            print(f"{run.id}: {status.message}")
    draw_maps_of([run for run, status in zip(runs, statuses, strict=True) if status.state == "finished"])
    return 0 if all(status.state == "finished" for status in statuses) else 3


def _wait(runs: "Sequence[Run]", hearts: "Sequence[Heart]", place: int) -> None:
    """Say how long the line is; a stop asked for meanwhile ends the waiting."""
    for heart in hearts:
        heart.sign()
    stopped = [run for run in runs if run.take_stop_request()]
    message = "Stopped before its turn." if stopped else f"Waiting for other trainings: place {place} in line."
    for run in runs:
        if stopped or run.status.message != message:
            run.write_status(run.status.replace(state="stopped" if stopped else "starting", message=message))
    if stopped:
        raise SystemExit(3)


@contextmanager
def _stop_on_signals(stop: Any) -> Iterator[None]:
    """Ctrl-C and a polite kill end training in order: what was learned is saved. A second one ends it at once."""
    asked = False

    def handler(signum: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        stop()

    before = {name: signal.signal(name, handler) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for name, old in before.items():
            signal.signal(name, old)
