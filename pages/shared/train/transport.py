"""Pause, play, one step, slow motion, and changes while it runs: for all the runs on show at once."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from bnvae.config.scheduled_changes import Change, steered
from bnvae.jobs.launch import state, stop, submit
from bnvae.runs import Run, Status
from bnvae.runs.branch import fork_run, steerable
from bnvae.runs.progress.control import PLAY, request_of_all
from pages.shared.mode import may_change
from pages.shared.notices import say, say_failed
from pages.shared.presses import press, pressed, whole
from pages.shared.state import selected_ids, show_begun, store
from pages.shared.visitor import check_room, claim, may_steer
from pages.shared.words import STEERED_NAMES

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

SLOW_STEPS_PER_SECOND = 1.0
NAMED_LETTERS = 48
"""of its origin in the name of a branch: that it is one should not be cut off"""
BRANCH = "Branch off"
RATE_PRESS = 1e-4
"""by how much a press on + changes the learning rate; 0.1, as for the others, would end the training"""


def transport(runs: Sequence[Run]) -> None:
    """A row of buttons, while there is something to steer; space pauses and plays, the right arrow takes one step."""
    if not may_change():
        return
    living = _living(runs)
    if not living:
        _together([run for run in runs if may_steer(run)])
        _branch_off(runs)
        return
    paused = all(status.state == "paused" for _, status in living)
    is_slow = living[0][0].desk.control().steps_per_second is not None
    with st.container(horizontal=True, gap="xsmall"):  # wraps where columns would cut the words
        if paused:
            press("Play", _paced(runs, pause_at=None), icon=":material/play_arrow:", shortcut="Space", key="play")
        else:
            press("Pause", _paced(runs, pause_at=0), icon=":material/pause:", shortcut="Space", key="pause")
        press("One step", partial(_one_step, runs), icon=":material/skip_next:", shortcut="Right", key="step")
        label, icon = ("Full speed", ":material/speed:") if is_slow else ("Slow motion", ":material/slow_motion_video:")
        speed = None if is_slow else SLOW_STEPS_PER_SECOND
        press(label, _paced(runs, pause_at=None, steps_per_second=speed), icon=icon, key="slow")
        with popover("Change", ":material/tune:"):
            _change([run for run, _ in living])
        _branch_off(runs, living=True)
        if len(living) > 1:
            press("Stop all", partial(_each_living, runs, stop), icon=":material/stop:", key="stop-all")


def _living(runs: Sequence[Run]) -> list[tuple[Run, Status]]:
    return [(run, status) for run in runs if may_steer(run) and (status := state(run)).alive]


def _paced(runs: Sequence[Run], **pace: float | None) -> Callable[[], None]:
    """What changes these fields of each run's `Control` when it is called.

    A stop that was asked for and not yet read stays asked for.
    """

    def command(run: Run) -> None:
        run.desk.command(dataclasses.replace(run.desk.control(), **pace))  # type: ignore[arg-type]

    return partial(_each_living, runs, command)


def _each_living(runs: Sequence[Run], act: Callable[[Run], None]) -> None:
    """Raises OSError, once all have had their turn, for those of which it could not be done."""
    refused = []
    for run, _ in _living(runs):
        try:
            act(run)
        except (OSError, ValueError) as error:
            refused.append(str(error))
    if refused:
        raise OSError("\n".join(refused))


def _one_step(runs: Sequence[Run]) -> None:
    """Go on by one step and wait, or just wait if they are not waiting; as many steps as presses, however soon."""
    living = _living(runs)
    asked = max((run.desk.control().pause_at or 0 for run, _ in living), default=0)
    waits = asked > 0 or all(status.state == "paused" for _, status in living)
    _paced(runs, pause_at=1 + max([asked, *(status.step for _, status in living)]) if waits else 0)()


def _together(runs: Sequence[Run]) -> None:
    """Several runs that were stopped go on as they raced: step for step."""
    waiting = [run for run in runs if state(run).resumable and run.can_go_on]
    if len(waiting) > 1:
        go_on = partial(_go_on_together, waiting)
        press("Go on together, step for step", go_on, icon=":material/resume:", key="together")


def _go_on_together(runs: Sequence[Run]) -> None:
    check_room(len(runs))
    for run in runs:
        run.desk.command(PLAY)  # they may have been stopped while they were paused
    submit(*runs, threads=1)


def popover(label: str, icon: str, *, disabled: bool = False) -> "DeltaGenerator":
    """One that `close` can close, so that nobody has to look for the curves behind it."""
    return st.popover(label, icon=icon, disabled=disabled, key=f"{label}-{st.session_state.get(_uses(label), 0)}")


def close(label: str) -> None:
    """Show the page anew with this popover closed: one with another key is another one, and that begins closed."""
    st.session_state[_uses(label)] = st.session_state.get(_uses(label), 0) + 1
    st.rerun()


def _uses(label: str) -> str:
    return f"_uses-{label}"


def _change(runs: Sequence[Run]) -> None:
    """Ask every run that has it for another value, from its next step on."""
    st.caption("Takes effect at the next step of every run above that has it, and is marked on the curves.")
    values = {name: value for run in runs for name, value in steerable(run).items()}
    name = st.selectbox("What", list(values), format_func=lambda field: STEERED_NAMES[field], key="change-what")
    value = _value_input(values, name, key="change")
    if not pressed("Change it", type="primary", key="change-go", of=selected_ids()):
        return
    asked, has_refused = [], False
    for run in runs:
        if name not in steerable(run):
            continue
        try:
            steered(run.steered_config, [Change(step=0, field=name, value=value)])
        except ValueError as error:
            say("error", "This run refuses the change:", f"{run.id}: {error}")
            has_refused = True
        else:
            asked.append(run.desk)
    try:
        request_of_all(asked, name, value)
    except OSError as error:
        say_failed(error)
    else:
        if asked:
            st.toast("Changed from the next step on.")
            if not has_refused:  # or else nobody could read why
                close("Change")


def _branch_off(runs: Sequence[Run], *, living: bool = False) -> None:
    """Where there is a checkpoint to go on from; while a run lives it has its place before, lest what follows jumps."""
    grown = [run for run in runs if any(run.folder.glob("trainer-*.json"))]
    if grown or living:
        with popover(BRANCH, ":material/call_split:", disabled=not grown):
            if grown:
                _fork(grown)


def _fork(runs: Sequence[Run]) -> None:
    """A new run that goes on from the newest checkpoint with something else."""
    st.caption(
        "A new run goes on from the last checkpoint of the one chosen; that one goes on as it is. A branch has a "
        "worker of its own: it is as fast as it can be, waits where the one chosen waits, and obeys the same buttons."
    )
    chosen = st.selectbox("From", runs, format_func=lambda run: run.id, key="fork-from")
    values = steerable(chosen)
    name = st.selectbox("With another", list(reversed(values)), format_func=STEERED_NAMES.__getitem__, key="fork-what")
    value = _value_input(values | {name: _another(name, values[name])}, name, key="fork")
    status = state(chosen)
    has_ended = status.state == "finished"
    more = st.number_input("Epochs more", 1 if has_ended else 0, 1000, 5 if has_ended else 0, key=f"fork-{has_ended}")
    is_same = value == values[name] and not more
    if is_same:
        st.caption("It has this value already: a branch would repeat the same run. Give another, or more epochs.")
    if pressed("Branch off", type="primary", key="fork-go", once=True, of=[chosen.id], disabled=is_same):
        try:
            whole(lambda: _begin_branch(chosen, {name: value}, more, runs))
        except (OSError, ValueError) as error:
            say_failed(error)
        else:
            close(BRANCH)


def _begin_branch(origin: Run, changed: dict[str, float], more_epochs: int, shown: Sequence[Run]) -> None:
    check_room(1)
    wish = store().free_id(f"{origin.id[:NAMED_LETTERS]}-branch")
    fork = claim(fork_run(store(), origin, wish, changed, more_epochs=more_epochs))
    # It begins behind its origin: where that waits, it catches up and waits at the same step.
    status = state(origin)
    waits_at = status.step if status.state == "paused" else None
    fork.desk.command(dataclasses.replace(origin.desk.control(), pause_at=waits_at, stop=False))
    submit(fork, threads=1)
    # Beside its origin; where four are on show already, the last makes room.
    show_begun([origin.id, fork.id, *(run.id for run in shown)])


def _another(name: str, value: float) -> float:
    """A value to begin with that is not the one in force, and inside the limits."""
    if name == "tau":
        return round(value + 0.2 if value < 0.7 else value - 0.2, 4)
    if name in ("beta", "learning_rate"):
        return value / 2 if value else 1.0
    return round(value + 0.1, 4)


def _value_input(values: Mapping[str, float], name: str, *, key: str) -> float:
    step = RATE_PRESS if name == "learning_rate" else 0.1
    return st.number_input("Value", value=float(values[name]), key=f"{key}-{name}", format="%.4g", step=step)
