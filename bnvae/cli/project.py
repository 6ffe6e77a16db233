"""python -m bnvae project: maps of runs' latent codes."""

import argparse

from bnvae.cli.settings import Subparsers

METHOD_HELP = (
    "umap, tsne, film: aligned maps of the moments of each run's training, or strip: what a model with a Scaler "
    "decodes over tau; may be repeated; default: umap"
)


def add(commands: Subparsers) -> None:
    parser = commands.add_parser("project", help="maps of a run's latent codes; of several runs in one frame as well")
    parser.set_defaults(command=_run)
    parser.add_argument("run", nargs="+", help="two or more of the same data are aligned with each other")
    parser.add_argument("--method", action="append", metavar="METHOD", help=METHOD_HELP)
    parser.add_argument("--with-data", action="store_true", help="keep examples and distortions for the map as well")
    parser.add_argument(
        "--examples",
        type=int,
        default=0,
        metavar="N",
        help="with data: keep N of the encoded examples; 0: all that fit",
    )
    parser.add_argument("--anew", action="store_true", help="also what is there already")
    parser.add_argument("--quiet", action="store_true", help="say nothing")


def _run(options: argparse.Namespace) -> None:
    from bnvae.jobs.project_runs import FILM, STRIP, be_patient, keep_strip, map_runs, wanted_maps
    from bnvae.runs import RunStore

    be_patient()
    runs = [RunStore().get(run_id) for run_id in dict.fromkeys(options.run)]
    wanted = wanted_maps(options.method or ["umap"])
    films = FILM in (options.method or [])
    if wanted or films or options.with_data:
        map_runs(
            runs,
            wanted=wanted,
            with_data=options.with_data,
            most_examples=max(0, options.examples),
            films=films,
            anew=options.anew,
        )
    if STRIP in (options.method or []):
        for run in runs:
            keep_strip(run)
    if not options.quiet:
        print(f"what was asked for is kept with {', '.join(run.id for run in runs)}")
