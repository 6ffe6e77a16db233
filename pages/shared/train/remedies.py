"""What to try with a training whose numbers became infinite: one press each, and what failed stays as it is."""

import dataclasses
from collections.abc import Callable
from functools import partial

import streamlit as st

from bnvae.config.schema import RunConfig
from bnvae.jobs.launch import submit
from bnvae.runs import Run, Status
from bnvae.runs.branch import fork_run
from bnvae.runs.progress import checkpoint
from pages.shared.presses import press
from pages.shared.state import link_params, show_begun, store
from pages.shared.visitor import check_room, claim

SMALLER = 0.1
"""times the learning rate"""
CLIP = 1.0
"""norm to which gradients are limited"""


def offer_remedies(run: Run, status: Status) -> None:
    """Buttons for the changes that usually help; each makes a run of its own."""
    st.caption("What usually helps. Each makes a new run; this one stays as it is.")
    training = run.steered_config.training
    rate = SMALLER * training.learning_rate
    _remedy(run, f"Learning rate {rate:g}", lambda: _with_rate(run, rate))
    is_limited = 0 < training.gradient_clip <= CLIP
    if not is_limited:
        _remedy(run, f"Gradients limited to {CLIP:g}", lambda: _anew(run, gradient_clip=CLIP))
    if "bfloat16" in status.device:
        _remedy(run, "Full precision", lambda: _anew(run, precision="fp32"))


def _remedy(run: Run, label: str, make: Callable[[], Run]) -> None:
    press(label, partial(_try, run, make), key=f"remedy-{label}-{run.id}", icon=":material/healing:", once=True)


def _try(run: Run, make: Callable[[], Run]) -> None:
    check_room(1)
    made = claim(make())
    submit(made, threads=made.config.training.threads or None)
    others = [other for other in link_params()["runs"] if other != run.id]
    show_begun([run.id, made.id, *others])


def _with_rate(run: Run, rate: float) -> Run:
    """Goes on from the last checkpoint, which is from before the failure; anew where there is none."""
    if checkpoint.newest(run.folder) is None:
        return _anew(run, learning_rate=rate)
    return fork_run(store(), run, store().free_id(f"{run.id}-slower"), {"learning_rate": rate})


def _anew(run: Run, **changed: object) -> Run:
    config: RunConfig = run.steered_config
    training = dataclasses.replace(config.training, **changed)  # type: ignore[arg-type]
    return store().create(store().free_id(f"{run.id}-again"), dataclasses.replace(config, training=training))
