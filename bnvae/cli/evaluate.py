"""python -m bnvae evaluate: figures of a trained run."""

import argparse
import json
import sys
from contextlib import ExitStack

from bnvae.cli.settings import Subparsers


def add(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "evaluate", help="figures of a trained run on its test, validation and training examples"
    )
    parser.set_defaults(command=_run)
    parser.add_argument("run")
    parser.add_argument(
        "--tau",
        type=float,
        metavar="FLOAT",
        help="figures at this tau instead of the run's own; a run trained at one tau is rescaled (fraction)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument(
        "--samples",
        type=int,
        metavar="K",
        help="thorough figures as well, with K draws of z an example for the likelihood; papers use 500",
    )
    parser.add_argument(
        "--examples",
        type=int,
        default=0,
        metavar="N",
        help="thorough figures of N test examples, drawn at random; 0: all",
    )
    parser.add_argument(
        "--factor",
        nargs="+",
        default=[],
        metavar="NAME",
        help="labels needed for these known factors as well, beside the data set's label",
    )
    parser.add_argument(
        "--labels",
        nargs="+",
        type=int,
        default=[],
        metavar="N",
        help="numbers of labelled examples to train probes on (examples); without: 10 30 100 300 1000",
    )
    parser.add_argument("--seed", type=int, default=0, help="decides the draws of the thorough figures")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.add_argument("--queue", action="store_true", help="wait in line with the trainings that the app started")


def _run(options: argparse.Namespace) -> int:
    from bnvae.cli.terminal.progress import evaluation_progress, print_evaluation
    from bnvae.jobs.evaluate_runs import evaluate_run
    from bnvae.jobs.waiting_line import turn
    from bnvae.metrics.thorough import ThoroughSettings
    from bnvae.runs import RunStore
    from bnvae.runs.evaluation_state import EvaluationDesk, EvaluationStopped

    run, settings = RunStore().get(options.run), None
    if options.samples is not None:
        settings = ThoroughSettings(samples=options.samples, examples=options.examples, seed=options.seed)
    for name in ("examples", "seed"):
        if settings is None and getattr(options, name):
            raise ValueError(
                f"{name} is {getattr(options, name)}: it is of the thorough figures. Give --samples as well, or leave "
                f"--{name} out."
            )
    if options.tau is not None and (options.factor or options.labels):
        raise ValueError("tau: labels needed are of the run's own tau. Leave --tau, or --factor and --labels, out.")
    try:
        with ExitStack() as stack:
            if options.queue:
                stack.enter_context(turn(RunStore().root, EvaluationDesk(run.folder).wait))
            progress = stack.enter_context(evaluation_progress(hidden=options.quiet or settings is None))
            figures = evaluate_run(
                run, settings, progress, tau=options.tau, factors=options.factor, labels=options.labels
            )
    except EvaluationStopped:
        print("bnvae: the evaluation was stopped; nothing was written.", file=sys.stderr)
        return 3
    if options.json:
        print(json.dumps(figures))
    else:
        print_evaluation(options.run, figures)
    return 0
