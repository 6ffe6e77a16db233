"""The command line: python -m bnvae train | sweep | resume | evaluate | project | list | export."""

import argparse
import dataclasses
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn, get_args, get_type_hints

from bnvae.config import RunConfig
from bnvae.config_help import FLAGS as FLAGS
from bnvae.config_help import SECTIONS as SECTIONS
from bnvae.config_help import field_help, flag_of

if TYPE_CHECKING:
    from bnvae.runs import Run
    from bnvae.runs.beat import Heart

AMORTISED = "amortised"
"""`--tau amortised` is `--amortised` with the usual tau for figures"""
NOT_IN_A_SWEEP = (("model", "tau"), ("model", "amortised"), ("model", "tau_max"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the process's exit status. Refused input ends in one line on stderr."""
    options = _parser().parse_args(arguments)
    try:
        status = int(options.command(options) or 0)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        print("bnvae: interrupted", file=sys.stderr, flush=True)
        if threading.active_count() > 1:
            os._exit(130)  # members of a race in the middle of a step, which an orderly exit may crash on
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"bnvae: {error}", file=sys.stderr)
        return 2


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        # argparse prints the usage as well: for `train` that is 20 lines, in which the reason is lost.
        self.exit(2, f"bnvae: {message}; see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m bnvae", description="Train and evaluate VAEs.", allow_abbrev=False)
    commands = parser.add_subparsers(required=True, metavar="command")

    train = commands.add_parser("train", help="train a new run", allow_abbrev=False)
    train.set_defaults(command=_train)
    train.add_argument("--run", help="name of the run's folder; default: made from data and head")
    train.add_argument("--quiet", action="store_true", help="no progress bar")
    for section, config in SECTIONS.items():
        group = train.add_argument_group(section)
        for spec in dataclasses.fields(config):
            _add_field(group, section, spec, config)

    sweep = commands.add_parser("sweep", help="train a run for each tau, one after the other", allow_abbrev=False)
    sweep.set_defaults(command=_sweep)
    sweep.add_argument("--run", required=True, help="name of the sweep; its runs are called NAME-tau-0.1 and so on")
    sweep.add_argument(
        "--tau",
        dest="taus",
        nargs="+",
        type=float,
        metavar="FLOAT",
        help="one run for each (fraction, 0 <= tau < 1); left out: go on with the sweep of this name",
    )
    sweep.add_argument("--quiet", action="store_true", help="no progress bar")
    for section, config in SECTIONS.items():
        group = sweep.add_argument_group(section)
        for spec in dataclasses.fields(config):
            if (section, spec.name) not in NOT_IN_A_SWEEP:
                _add_field(group, section, spec, config)

    resume = commands.add_parser("resume", help="go on with a run that was stopped or interrupted")
    resume.set_defaults(command=_resume)
    resume.add_argument("run", nargs="+", help="several go step for step beside each other")
    resume.add_argument("--quiet", action="store_true", help="no progress bar")
    resume.add_argument("--queue", action="store_true", help="wait in line with the trainings that the app started")

    evaluate = commands.add_parser("evaluate", help="figures of a trained run on its test and training examples")
    evaluate.set_defaults(command=_evaluate)
    evaluate.add_argument("run")
    evaluate.add_argument(
        "--tau",
        type=float,
        metavar="FLOAT",
        help="figures at this tau instead of the run's own; a run trained at one tau is rescaled (fraction)",
    )
    evaluate.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    evaluate.add_argument(
        "--samples",
        type=int,
        metavar="K",
        help="thorough figures as well, with K draws of z an example for the likelihood; papers use 500",
    )
    evaluate.add_argument(
        "--examples", type=int, default=0, metavar="N", help="thorough figures of the first N test examples; 0: all"
    )
    evaluate.add_argument("--seed", type=int, default=0, help="decides the draws of the thorough figures")
    evaluate.add_argument("--quiet", action="store_true", help="no progress bar")
    evaluate.add_argument("--queue", action="store_true", help="wait in line with the trainings that the app started")

    mapped = commands.add_parser("project", help="maps of a run's latent codes; of several runs in one frame as well")
    mapped.set_defaults(command=_project)
    mapped.add_argument("run", nargs="+", help="two to four of the same data are aligned with each other")
    mapped.add_argument("--method", action="append", help="umap or tsne, also twice; default: umap", metavar="METHOD")
    mapped.add_argument("--with-data", action="store_true", help="keep examples and distortions for the map as well")
    mapped.add_argument(
        "--examples", type=int, default=0, metavar="N", help="with data: keep the first N examples; 0: all that fit"
    )
    mapped.add_argument("--anew", action="store_true", help="also what is there already")
    mapped.add_argument("--quiet", action="store_true", help="say nothing")

    listing = commands.add_parser("list", help="all runs")
    listing.set_defaults(command=_list)
    listing.add_argument("--json", action="store_true", help="print a JSON array instead of a table")

    export = commands.add_parser("export", help="write a run as one .zip, to be uploaded or unpacked elsewhere")
    export.set_defaults(command=_export)
    export.add_argument("run")
    export.add_argument("--to", type=Path, help="file to write; default: RUN.zip in this folder")
    return parser


def _add_field(group: Any, section: str, spec: "dataclasses.Field[Any]", config: type) -> None:
    wanted = get_type_hints(config)[spec.name]
    flag = flag_of(section, spec.name)
    help_text = field_help(config)[spec.name].replace("%", "%%") + f" [{spec.default!r}]"
    options: dict[str, Any] = {"dest": f"{section}.{spec.name}", "default": spec.default, "help": help_text}
    if spec.name == "tau":
        group.add_argument(f"--{flag}", type=_tau, metavar=f"FLOAT|{AMORTISED}", **options)
    elif wanted is bool:
        group.add_argument(f"--{flag}", action=argparse.BooleanOptionalAction, **options)
    elif choices := get_args(wanted):
        group.add_argument(f"--{flag}", choices=choices, **options)
    else:
        group.add_argument(f"--{flag}", type=wanted, metavar=wanted.__name__.upper(), **options)


def _tau(text: str) -> float | str:
    try:
        return AMORTISED if text == AMORTISED else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"tau is {text!r}: give a number, or {AMORTISED!r}") from None


def _config(options: argparse.Namespace) -> RunConfig:
    sections = {}
    for section, config in SECTIONS.items():
        given = {spec.name: f"{section}.{spec.name}" for spec in dataclasses.fields(config)}
        fields = {name: getattr(options, flag) for name, flag in given.items() if hasattr(options, flag)}
        if fields.get("tau") == AMORTISED:
            fields |= {"tau": config.tau, "amortised": True}
        sections[section] = config(**fields)
    return RunConfig(**sections)


def _train(options: argparse.Namespace) -> int:
    from bnvae.runs import RunStore

    config, store = _config(options), RunStore()
    run_id = options.run or store.free_id(f"{config.data.name}-{config.model.head}")
    return _follow(store.create(run_id, config).id, quiet=options.quiet)


def _sweep(options: argparse.Namespace) -> int:
    """Re-running it goes on where it was: finished runs are left alone, the others resumed."""
    from bnvae.runs import RunStore
    from bnvae.runs.control import PLAY
    from bnvae.sweep import known_members, members

    store, asked, worst = RunStore(), [], 0
    taus: list[float] | None = options.taus
    runs = known_members(store, options.run) if taus is None else members(store, options.run, _config(options), taus)
    for run in runs:
        if run.status.state == "finished":
            continue
        if not run.is_held:
            run.desk.command(PLAY)  # as for `resume`
        try:
            status = _follow(run.id, quiet=options.quiet, queue=True, on_stop=lambda: asked.append(True))
        except SystemExit:  # stopped before its turn
            status = 3
        except FloatingPointError as error:  # a large tau may diverge where the others do not
            print(f"bnvae: {run.id}: {error}", file=sys.stderr)
            status = 2
        worst = max(worst, status)
        if asked:
            break
    return worst


def _resume(options: argparse.Namespace) -> int:
    from bnvae.runs import RunStore
    from bnvae.runs.control import PLAY

    if not options.queue:  # a run stopped while it was paused would wait for a page that may never come
        for run in map(RunStore().get, options.run):
            if not run.is_held:
                run.desk.command(PLAY)
    return _follow(*options.run, quiet=options.quiet, queue=options.queue)


def _follow(*run_ids: str, quiet: bool, queue: bool = False, on_stop: Callable[[], object] = lambda: None) -> int:
    from bnvae.launcher import draw_maps_of
    from bnvae.progress import NoProgress, TerminalProgress
    from bnvae.runs import RunStore
    from bnvae.runs.beat import beating
    from bnvae.turns import turn
    from bnvae.worker import train_runs

    runs = [RunStore().get(run_id) for run_id in dict.fromkeys(run_ids)]

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


def _evaluate(options: argparse.Namespace) -> int:
    from bnvae.analysis.thorough import ThoroughSettings
    from bnvae.examiner import evaluate_run
    from bnvae.progress import evaluation_progress, print_evaluation
    from bnvae.runs import RunStore
    from bnvae.runs.evaluating import EvaluationDesk, EvaluationStopped
    from bnvae.turns import turn

    run, settings = RunStore().get(options.run), None
    if options.samples is not None:
        settings = ThoroughSettings(samples=options.samples, examples=options.examples, seed=options.seed)
    try:
        with ExitStack() as stack:
            if options.queue:
                stack.enter_context(turn(RunStore().root, EvaluationDesk(run.folder).wait))
            progress = stack.enter_context(evaluation_progress(hidden=options.quiet or settings is None))
            figures = evaluate_run(run, settings, progress, tau=options.tau)
    except EvaluationStopped:
        print("bnvae: the evaluation was stopped; nothing was written.", file=sys.stderr)
        return 3
    if options.json:
        print(json.dumps(figures))
    else:
        print_evaluation(options.run, figures)
    return 0


def _project(options: argparse.Namespace) -> None:
    from bnvae.mapping import be_patient, map_runs, wanted_maps
    from bnvae.runs import RunStore

    be_patient()
    runs = [RunStore().get(run_id) for run_id in dict.fromkeys(options.run)]
    wanted = wanted_maps(options.method or ["umap"])
    map_runs(
        runs,
        wanted=wanted,
        with_data=options.with_data,
        most_examples=max(0, options.examples),
        anew=options.anew,
    )
    if not options.quiet:
        print(f"maps of {', '.join(run.id for run in runs)} are kept")


def _list(options: argparse.Namespace) -> None:
    from bnvae.runs import RunStore
    from bnvae.worker import describe

    entries = [describe(run) for run in RunStore().runs()]
    if options.json:
        print(json.dumps(entries))
        return
    from bnvae.progress import print_runs

    print_runs(entries)


def _export(options: argparse.Namespace) -> None:
    from bnvae.runs import RunStore
    from bnvae.runs.archive import export_run
    from bnvae.runs.files import write_atomic

    run = RunStore().get(options.run)
    target = options.to or Path(f"{run.id}.zip")
    content = export_run(run)
    write_atomic(target, content)
    print(f"{target}: {len(content):,} bytes")


if __name__ == "__main__":
    sys.exit(main())
