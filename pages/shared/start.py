"""From a configuration to running workers."""

import dataclasses
import os
from collections.abc import Sequence

from bnvae.config.display_names import short_title
from bnvae.config.schema import HeadName, RunConfig
from bnvae.jobs.launch import submit
from bnvae.runs import Run
from pages.shared.notices import say
from pages.shared.presses import whole
from pages.shared.state import show_begun, store
from pages.shared.visitor import check_room, claim

PLAIN: HeadName = "gaussian"


def start(config: RunConfig, *, twin: bool) -> bool:
    """Create the run, and with `twin` the plain VAE of the same seed and batches beside it, start and show them.

    False when that failed; the page then says why. All cores but one are shared out, so that the app stays responsive
    and both advance alike.
    """
    return whole(lambda: _start(config, twin=twin))


def _start(config: RunConfig, *, twin: bool) -> bool:
    configs = [config]
    if twin and config.model.head != PLAIN:
        configs.insert(
            0, dataclasses.replace(config, model=dataclasses.replace(config.model, head=PLAIN, amortised=False))
        )
    threads = config.training.threads or max(1, ((os.cpu_count() or 2) - 1) // len(configs))
    started = []
    try:
        check_room(len(configs))
        for one in configs:
            training = dataclasses.replace(one.training, threads=threads)
            wish = f"{short_title(one.data)}-{one.model.head}"
            run = claim(store().create(store().free_id(wish), dataclasses.replace(one, training=training)))
            submit(run, threads=threads)
            started.append(run.id)
    except (OSError, ValueError) as error:
        say("error", "Training could not be started. What was created of it is on the Runs page.", str(error))
        return False
    show_begun(started)
    return True


def start_race(configs: Sequence[RunConfig]) -> bool:
    """Create the runs of a race, start the one worker that trains them step for step, and show them.

    False when that failed; the page then says why.
    """
    return whole(lambda: _start_race(configs))


def _start_race(configs: Sequence[RunConfig]) -> bool:
    runs: list[Run] = []
    try:
        check_room(len(configs))
        for config in configs:
            wish = f"race-{short_title(config.data)}-{config.model.head}"
            runs.append(claim(store().create(store().free_id(wish), config)))
        submit(*runs, threads=1)
    except (OSError, ValueError) as error:
        say("error", "The race could not be started. What was created of it is on the Runs page.", str(error))
        return False
    show_begun([run.id for run in runs])
    return True
