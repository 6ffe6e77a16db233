"""A film strip kept with its run: found again as it was, and refused when it is not of these weights."""

import dataclasses
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bnvae.config.schema import RunConfig
from bnvae.data import load_dataset
from bnvae.latent.tau_frames import FilmStrip, chosen_examples, render
from bnvae.nn.vae import VAE
from bnvae.runs import BrokenRunError, Run, RunStore
from bnvae.runs.derived import stored_tau_frames

TAUS = np.array([0.0, 0.5, 0.9])


@pytest.fixture
def run(store: RunStore, tiny: RunConfig) -> Run:
    run = store.create("digits", tiny)
    dataset = load_dataset(tiny.data)
    run.write_data(dataset)
    run.write_weights(VAE.build(tiny.network, tiny.model, dataset.shape, seed=0))
    return run


@pytest.fixture
def strip(run: Run) -> FilmStrip:
    kept = run.examples
    codes = torch.randn(8, 4, generator=torch.Generator().manual_seed(0))
    return render(run.load_model(), run.card.shape, kept.examples, chosen_examples(kept.labels), codes, TAUS)


def rewritten(folder: Path, **changes: Any) -> None:
    with np.load(folder / stored_tau_frames.NAME, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files} | changes
    np.savez(folder / stored_tau_frames.NAME, **arrays)


def test_a_strip_comes_back_as_it_was_kept(run: Run, strip: FilmStrip) -> None:
    assert stored_tau_frames.load(run.folder, run.card, TAUS) is None
    stored_tau_frames.keep(run.folder, strip)
    found = stored_tau_frames.load(run.folder, run.card, TAUS)
    assert found is not None
    for spec in dataclasses.fields(FilmStrip):
        assert np.array_equal(getattr(found, spec.name), getattr(strip, spec.name)), spec.name


def test_a_strip_of_other_weights_is_refused(run: Run, strip: FilmStrip, tiny: RunConfig) -> None:
    stored_tau_frames.keep(run.folder, strip)
    run.write_weights(VAE.build(tiny.network, tiny.model, run.card.shape, seed=1))
    with pytest.raises(BrokenRunError, match="other weights"):
        stored_tau_frames.load(run.folder, run.card, TAUS)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": np.array(stored_tau_frames.FORMAT + 1)}, "another version"),
        ({"format": np.array("1")}, "another version"),
        ({"taus": np.array([0.0, 0.5, 0.8])}, "other values of tau"),
        ({"distortion": np.array([np.nan, 1.0])}, "finite numbers"),
        ({"distortion": np.array([1.0])}, "one value for each"),
        ({"reconstructions": np.zeros((3, 8, 1, 9, 9), np.uint8)}, "expected uint8"),
        ({"reconstructions": np.zeros((2, 8, 1, 8, 8), np.uint8)}, "one frame for each tau"),
        ({"samples": np.zeros((1, 0, 1, 8, 8), np.uint8)}, "expected frames"),
        ({"samples": np.zeros((3, 8, 1, 8, 8), np.float32)}, "expected uint8"),
        ({"weights": np.zeros(3)}, "other weights"),
    ],
)
def test_a_strip_that_does_not_fit_is_refused_with_the_reason(
    changes: dict[str, Any], words: str, run: Run, strip: FilmStrip
) -> None:
    stored_tau_frames.keep(run.folder, strip)
    rewritten(run.folder, **changes)
    with pytest.raises(BrokenRunError, match=words):
        stored_tau_frames.load(run.folder, run.card, TAUS)


@pytest.mark.parametrize("content", [b"", b"PK", b"\0" * 1000])
def test_a_damaged_strip_is_refused(content: bytes, run: Run) -> None:
    (run.folder / stored_tau_frames.NAME).write_bytes(content)
    with pytest.raises(BrokenRunError, match="cannot be read"):
        stored_tau_frames.load(run.folder, run.card, TAUS)


def test_a_strip_cannot_run_code(run: Run, strip: FilmStrip) -> None:
    stored_tau_frames.keep(run.folder, strip)
    buffer = io.BytesIO()
    np.savez(buffer, format=np.array([print], dtype=object))
    (run.folder / stored_tau_frames.NAME).write_bytes(buffer.getvalue())
    with pytest.raises(BrokenRunError, match="cannot be read"):
        stored_tau_frames.load(run.folder, run.card, TAUS)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_folder_is_an_error_that_the_caller_can_catch(run: Run, strip: FilmStrip) -> None:
    run.folder.chmod(0o555)
    try:
        with pytest.raises(OSError):
            stored_tau_frames.keep(run.folder, strip)
    finally:
        run.folder.chmod(0o755)
