"""python -m bnvae evaluate: figures of a trained run."""

import argparse
import json
import sys
from contextlib import ExitStack

from bnvae.commands.settings import Subparsers


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
        "--examples", type=int, default=0, metavar="N", help="thorough figures of the first N test examples; 0: all"
    )
    parser.add_argument("--seed", type=int, default=0, help="decides the draws of the thorough figures")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.add_argument("--queue", action="store_true", help="wait in line with the trainings that the app started")


def _run(options: argparse.Namespace) -> int:
    from bnvae.analysis.thorough import ThoroughSettings
    from bnvae.examiner import evaluate_run
    from bnvae.progress import evaluation_progress, print_evaluation
    from bnvae.runs import RunStore
    from bnvae.runs.evaluating import EvaluationDesk, EvaluationStopped
    from bnvae.turns import turn

    run, settings = RunStore().get(options.run), None
    if options.samples is not None:
        settings = ThoroughSettings(samples=options.samples, examples=options.examples, seed=options.seed)
    for name in ("examples", "seed"):
        if settings is None and getattr(options, name):
            raise ValueError(
                f"{name} is {getattr(options, name)}: it is of the thorough figures. Give --samples as well, or leave "
                f"--{name} out."
            )
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
