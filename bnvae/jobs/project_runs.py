"""Computes the maps of runs and keeps them with the runs: work for a process of its own, since umap starts slowly."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, final

import torch
from filelock import FileLock, Timeout

from bnvae.data import load_dataset
from bnvae.latent.projection.aligned_projections import film
from bnvae.latent.projection.fit_projection import Method, Projection, aligned, check_codes, project
from bnvae.latent.tau_frames import strip_of, taus_of
from bnvae.nn.posterior import Posterior
from bnvae.runs.artifacts.snapshots import load as load_album
from bnvae.runs.derived import stored_tau_frames
from bnvae.runs.derived.projected_rows import MOST_EXAMPLE_BYTES, Factor, Mapped, read_mapped, write_mapped
from bnvae.runs.derived.stored_projection import (
    encodings_digest,
    in_order,
    name_of,
    read_aligned,
    read_maps,
    write_aligned,
    write_maps,
)
from bnvae.runs.derived.stored_projection_films import album_digest, read_film, write_film
from bnvae.runs.run import Run
from bnvae.runs.storage.atomic_files import BrokenRunError, read_json, write_json
from bnvae.runs.storage.lock import hold, is_held
from bnvae.training.evaluation import distortions, draw_codes

PROGRESS = "projecting.json"
LEASE = "projection.lock"
LINE = ".maps.lock"
SWITCH = "BNVAE_MAPS"
"""environment variable; "0": maps are computed only when `python -m bnvae project` is called"""
MADE_HERE = ("storybook", "digits", "shapes")
"""data sets that need no download: a page may have them made"""
WANTED: tuple[tuple[Method, int], ...] = (("umap", 2), ("umap", 3))
FILM, STRIP = "film", "strip"
"""asked for like methods: aligned maps of the moments of a run's training, and what a Scaler decodes over tau"""
NAMED: dict[Method, str] = {"pca": "PCA", "umap": "UMAP", "tsne": "t-SNE"}
NICENESS = 15


@final
class Progress:
    """What a page can see of the work: projecting.json in the folder of the (first) run."""

    def __init__(self, run: Run, steps: int) -> None:
        self._run, self._steps, self._done = run, steps, 0

    def begin(self, message: str) -> None:
        self._write("working", message)
        self._done += 1

    def end(self) -> None:
        self._done = self._steps
        self._write("finished", "")

    def fail(self, error: Exception) -> None:
        self._write("failed", str(error) or repr(error))

    def _write(self, state: str, message: str) -> None:
        share = self._done / self._steps
        with suppress(OSError):  # a map is worth more than a word about it
            write_json(self._run.folder / PROGRESS, {"state": state, "message": message, "share": share})


def automatic() -> bool:
    """Whether maps are computed without being asked for."""
    return os.environ.get(SWITCH, "") != "0"


def is_mapped_now(run: Run) -> bool:
    """Whether a living process computes maps of this run."""
    return is_held(run.folder / LEASE)


def progress_of(run: Run) -> dict[str, Any]:
    """The last word on the run's maps: state, message, share; empty if there never was one, or a damaged one."""
    try:
        stored = read_json(run.folder / PROGRESS)
    except ValueError:
        return {}
    state, message, share = (stored.get(name) for name in ("state", "message", "share"))
    if not isinstance(state, str) or not isinstance(message, str) or not isinstance(share, float | int):
        return {}
    return {"state": state, "message": message[:500], "share": min(1.0, max(0.0, float(share)))}


def map_runs(
    runs: Sequence[Run],
    *,
    wanted: Sequence[tuple[Method, int]] = WANTED,
    with_data: bool = False,
    most_examples: int = 0,
    films: bool = False,
    anew: bool = False,
) -> None:
    """Compute what these runs lack: maps of each, and one in a common frame for two or more of the same data.

    With `with_data`, the data set is loaded, and downloaded if need be, for examples, distortions and known causes; of
    the examples, the first `most_examples` are kept (0: all that fit), distortions and causes of all. With `films`,
    each run's training is mapped as well, and the runs are put into a common frame only if maps are wanted too.

    Raises:
        ValueError: a run is broken, or has no encodings.
        BlockingIOError: another process computes maps of the first run.
    """
    first = runs[0]
    common = len(runs) > 1 and bool(wanted)
    steps = len(runs) * (len(wanted) + 1 + films) + common
    with hold(first.folder / LEASE), _in_line(first.folder.parent, first, steps):
        progress = Progress(first, steps)
        try:
            for run in runs:
                _map_one(run, wanted, progress, with_data=with_data, most_examples=most_examples, anew=anew)
                if films:
                    progress.begin(f"AlignedUMAP of the moments of the training, {run.id}")
                    _film(run, anew=anew)
            if common and _share_examples(runs):
                progress.begin(f"AlignedUMAP of {len(runs)} runs")
                _align(runs, anew=anew)
        except Exception as error:
            progress.fail(error)
            raise
        progress.end()


@contextmanager
def _in_line(root: Path, run: Run, steps: int) -> Iterator[None]:
    """One map at a time on a machine: each of them fills a core and half a gigabyte."""
    lock = FileLock(root / LINE)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        Progress(run, steps).begin("Waiting for another map")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _map_one(
    run: Run,
    wanted: Sequence[tuple[Method, int]],
    progress: Progress,
    *,
    with_data: bool,
    most_examples: int,
    anew: bool,
) -> None:
    digest = encodings_digest(run)
    posterior, _ = run.encodings()
    maps = {} if anew else _kept(run, len(posterior.mean))
    for method, dimensions in wanted:
        progress.begin(f"{NAMED[method]} in {dimensions} dimensions, {run.id}")
        name = name_of(method, dimensions)
        if name not in maps:
            maps[name] = project(posterior.mean, method, dimensions=dimensions, seed=0)
            write_maps(run, digest, maps)
    progress.begin(f"Distortions and causes, {run.id}")
    made_here = run.config.data.name in MADE_HERE
    if (with_data or made_here) and not run.is_arrays and (anew or not _is_mapped(run, len(posterior.mean))):
        _map_data(run, posterior, most_examples)


def _kept(run: Run, count: int) -> dict[str, Projection]:
    """Maps there are already; a damaged file is no reason not to make new ones."""
    try:
        return read_maps(run, count=count)
    except ValueError:
        return {}


def _is_mapped(run: Run, count: int) -> bool:
    try:
        return read_mapped(run, count=count) is not None
    except ValueError:
        return False


def _map_data(run: Run, posterior: Posterior, most_examples: int) -> None:
    dataset = load_dataset(run.config.data, tokenizer=run.tokenizer)
    if dataset.digest != run.card.digest:
        return  # other examples than those encoded
    rows, count, test = run.encoded_rows(), len(posterior.mean), dataset.test
    if count and int(rows.max()) >= len(test):
        raise BrokenRunError(f"{run.id}/encodings.npz is of more test examples than there are, {len(test)}.")
    encoded = test.examples[rows]
    mostly = max(1, min(count, most_examples or count, MOST_EXAMPLE_BYTES // max(1, test.examples[0].nbytes)))
    write_mapped(
        run,
        Mapped(
            examples=encoded[:mostly],
            distortion=distortions(run.load_model(), encoded, draw_codes(posterior, 0)),
            factors={
                name: Factor(values=values[rows].float(), names=dataset.factor_names.get(name, ()))
                for name, values in test.factors.items()
            },
            rows=rows,
        ),
    )


def _align(runs: Sequence[Run], *, anew: bool) -> None:
    runs = in_order(runs)
    means = [run.encodings()[0].mean for run in runs]
    for mean in means:
        check_codes(mean)
    if not anew:
        with suppress(ValueError):
            if read_aligned(runs, count=len(means[0])) is not None:
                return
    write_aligned(runs, [encodings_digest(run) for run in runs], aligned(means))


def _film(run: Run, *, anew: bool) -> None:
    album = load_album(run.folder, run.card)
    if not anew:
        with suppress(ValueError):
            if read_film(run, album) is not None:
                return
    if album:
        maps = film([moment.mean for moment in album])
        write_film(run, album_digest(run, album), {album[place].step: found for place, found in maps.items()})


def _share_examples(runs: Sequence[Run]) -> bool:
    """Whether these runs encoded the same examples: only then is there anything to align them by."""
    return len({(run.card.digest, tuple(run.encoded_rows().tolist())) for run in runs}) == 1


def be_patient() -> None:
    """Let this process wait for everything else on the machine, and use one thread."""
    torch.set_num_threads(1)
    if hasattr(os, "nice"):
        os.nice(NICENESS)


def wanted_maps(methods: Sequence[str]) -> list[tuple[Method, int]]:
    """The maps that these methods make, in two and in three dimensions; `film` and `strip` make none.

    Raises:
        ValueError: one of them is no method.
    """
    known: dict[str, Method] = {"umap": "umap", "tsne": "tsne"}
    if unknown := [method for method in methods if method not in (*known, FILM, STRIP)]:
        raise ValueError(f"method is {unknown[0]!r}: expected umap, tsne, film or strip.")
    return [(known[method], dimensions) for method in methods if method in known for dimensions in (2, 3)]


def keep_strip(run: Run) -> None:
    """Decode a run over tau for the Tau page and keep it in its folder.

    Raises:
        ValueError: the run's head has no Scaler.
        BrokenRunError: the model or its examples are missing or damaged.
    """
    model = run.load_model()
    if model.tau is None:
        raise ValueError(
            f"run is {run.id!r}: its head {run.config.model.head!r} has no Scaler, and so no tau to go over."
        )
    kept = run.examples
    stored_tau_frames.keep(run.folder, strip_of(model, run.card.shape, kept.examples, kept.labels, taus_of(model)))
