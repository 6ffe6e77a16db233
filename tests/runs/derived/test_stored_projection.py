"""Maps kept with a run: read as written, of the present encodings only, and a stranger's file is not believed."""

import io
import json
from typing import Any

import numpy as np
import pytest
import torch

from bnvae.config.schema import RunConfig
from bnvae.latent.projection.fit_projection import Projection, project
from bnvae.nn.posterior import Posterior
from bnvae.runs import BrokenRunError, Run, RunStore
from bnvae.runs.derived.stored_projection import encodings_digest, read_aligned, read_maps, write_aligned, write_maps
from bnvae.runs.storage.atomic_files import write_arrays

COUNT = 12


def encoded(store: RunStore, tiny: RunConfig, run_id: str, seed: int) -> Run:
    run = store.create(run_id, tiny)
    mean = torch.randn(COUNT, 4, generator=torch.Generator().manual_seed(seed))
    run.write_posterior(Posterior(mean, torch.ones_like(mean)), torch.zeros(COUNT, dtype=torch.long))
    return run


@pytest.fixture
def run(store: RunStore, tiny: RunConfig) -> Run:
    return encoded(store, tiny, "a", 0)


@pytest.fixture
def found() -> Projection:
    codes = torch.randn(COUNT, 4, generator=torch.Generator().manual_seed(1))
    codes[3] = torch.nan
    return project(codes, "pca", dimensions=2)


def same(one: Projection, other: Projection) -> bool:
    return (
        torch.equal(one.points.nan_to_num(99), other.points.nan_to_num(99))
        and (one.method, one.fitted, one.fidelity) == (other.method, other.fitted, other.fidelity)
        and one.parameters == other.parameters
    )


def test_maps_are_read_as_they_were_written(run: Run, found: Projection) -> None:
    write_maps(run, encodings_digest(run), {"umap-2": found})

    kept = read_maps(run, count=COUNT)

    assert list(kept) == ["umap-2"]
    assert same(kept["umap-2"], found)


def test_a_run_without_maps_has_none(run: Run) -> None:
    assert read_maps(run, count=COUNT) == {}


def test_maps_of_earlier_encodings_are_not_shown(run: Run, found: Projection, store: RunStore, tiny: RunConfig) -> None:
    write_maps(run, encodings_digest(encoded(store, tiny, "b", 1)), {"umap-2": found})

    assert read_maps(run, count=COUNT) == {}


def test_a_common_map_is_found_in_any_order_and_only_for_its_runs(
    run: Run, found: Projection, store: RunStore, tiny: RunConfig
) -> None:
    other, third = encoded(store, tiny, "b", 1), encoded(store, tiny, "c", 2)
    moved = Projection(method="umap", points=found.points + 1, fitted=5, parameters={"seed": 0.0}, fidelity=None)

    write_aligned([run, other], [encodings_digest(run), encodings_digest(other)], [found, moved])

    for runs in ([run, other], [other, run]):
        kept = read_aligned(runs, count=COUNT)
        assert kept is not None
        assert same(kept["a"], found)
        assert same(kept["b"], moved)
    assert read_aligned([run, third], count=COUNT) is None


def tampered(run: Run, found: Projection, **changes: Any) -> None:
    header = {
        "encodings": [encodings_digest(run)],
        "maps": {"umap-2": {"method": "umap", "fitted": 3, "parameters": {}, "fidelity": None} | changes},
    }
    content = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    write_arrays(run.folder / "projection.npz", {"header": content, "umap-2": found.points.numpy()})


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "<b>"},
        {"fitted": -1},
        {"fitted": "many"},
        {"parameters": [1]},
        {"fidelity": {"trustworthiness": 7.0, "kept": 0.5, "neighbours": 15, "examples": 9, "of": 9}},
        {"fidelity": {"trustworthiness": 0.5, "kept": "x", "neighbours": 15, "examples": 9, "of": 9}},
        {"fidelity": {"trustworthiness": 0.5}},
    ],
)
def test_a_map_that_is_described_wrongly_is_refused(run: Run, found: Projection, changes: dict[str, Any]) -> None:
    tampered(run, found)
    assert list(read_maps(run, count=COUNT)) == ["umap-2"]

    tampered(run, found, **changes)
    with pytest.raises(BrokenRunError, match=r"a/projection\.npz"):
        read_maps(run, count=COUNT)


@pytest.mark.parametrize(
    "points",
    [np.zeros((3, 2)), np.zeros((COUNT, 5)), np.zeros(COUNT), np.full((COUNT, 2), 1e9), np.zeros((COUNT, 2), int)],
)
def test_points_that_do_not_fit_the_encodings_are_refused(run: Run, found: Projection, points: np.ndarray) -> None:
    write_maps(run, encodings_digest(run), {"umap-2": found})
    with np.load(io.BytesIO((run.folder / "projection.npz").read_bytes()), allow_pickle=False) as stored:
        header = stored["header"]
    write_arrays(run.folder / "projection.npz", {"header": header, "umap-2": points})

    with pytest.raises(BrokenRunError, match="umap-2"):
        read_maps(run, count=COUNT)


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04broken"])
def test_a_damaged_file_is_named(run: Run, content: bytes) -> None:
    (run.folder / "projection.npz").write_bytes(content)

    with pytest.raises(BrokenRunError, match=r"a/projection\.npz cannot be read"):
        read_maps(run, count=COUNT)
