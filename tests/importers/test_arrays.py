"""Posteriors alone become a run with the figures that need no model."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bnvae.data.text.vocabulary import decode
from bnvae.importers.arrays import bring_arrays
from bnvae.jobs.evaluate_runs import evaluate_run
from bnvae.metrics.thorough import ThoroughSettings
from bnvae.runs import RunStore
from bnvae.runs.export.archive import export_run, import_run

MEANS = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
STDS = np.random.default_rng(1).uniform(0.1, 1, size=(40, 3)).astype(np.float32)


def packed(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **{"means": MEANS, "stds": STDS} | arrays)
    return buffer.getvalue()


def test_the_figures_are_those_of_torchs_own_divergence(store: RunStore) -> None:
    run = bring_arrays(store, "codes", packed(), file="codes.npz")

    figures = (run.evaluation() or {})["test"]
    q = torch.distributions.Normal(torch.from_numpy(MEANS).double(), torch.from_numpy(STDS).double())
    kl = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).mean(0)
    # Ours is fp32 up to the mean.
    assert figures["kl_per_dimension"] == pytest.approx(kl.tolist(), rel=1e-5)
    assert figures["rate"] == pytest.approx(kl.sum().item(), rel=1e-5)
    assert figures["second_moment_per_dimension"] == pytest.approx((MEANS**2 + STDS**2).mean(0).tolist(), rel=1e-5)
    assert figures["active_units"] == 3
    assert 0 < figures["mutual_information"] <= np.log(40)
    assert figures["marginal_kl"] == pytest.approx(figures["rate"] - figures["mutual_information"])
    assert not {"elbo", "distortion"} & set(figures)
    assert (run.evaluation() or {})["training"] == {}


def test_log_variances_are_twice_the_ln_of_stds(store: RunStore) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, means=MEANS, log_variances=2 * np.log(STDS))

    found = bring_arrays(store, "logs", buffer.getvalue()).encodings()[0]

    np.testing.assert_allclose(found.std.numpy(), STDS, rtol=1e-6)
    np.testing.assert_array_equal(found.mean.numpy(), MEANS)  # not rounded to fp16, as what is trained here is


def test_words_as_labels_get_a_number_each(store: RunStore) -> None:
    run = bring_arrays(store, "words", packed(labels=np.array(["odd", "even"] * 20)))

    assert run.card.label_names == ("even", "odd")
    assert run.encodings()[1].tolist() == [1, 0] * 20
    named = bring_arrays(
        store, "named", packed(labels=np.array([1, -1] * 20), label_names=np.array(["cat", "dog", "owl"]))
    )
    assert named.card.label_names == ("cat", "dog", "owl")
    assert named.encodings()[1].tolist() == [1, -1] * 20


def test_pictures_and_sentences_are_kept_as_they_are(store: RunStore) -> None:
    pictures = np.random.default_rng(2).integers(0, 256, (40, 9, 7), dtype=np.uint8)
    lines = [f"Sätze, {index} of them: {'~' * (index % 3)}?" for index in range(40)]

    shown = bring_arrays(store, "pictures", packed(pictures=pictures)).examples.examples
    told = bring_arrays(store, "sentences", packed(sentences=np.array(lines)))

    np.testing.assert_array_equal(shown[:, 0].numpy(), pictures)
    assert told.tokenizer is not None
    assert decode(told.tokenizer, told.examples.examples) == lines
    assert len(bring_arrays(store, "neither", packed()).examples.examples) == 0


def test_it_is_evaluated_again_and_taken_home(store: RunStore, tmp_path: Path) -> None:
    run = bring_arrays(store, "codes", packed())
    before = run.evaluation()

    assert evaluate_run(run) == before
    with pytest.raises(ValueError, match="run 'codes' is arrays alone: likelihoods"):
        evaluate_run(run, ThoroughSettings(samples=5))
    with pytest.raises(ValueError, match="run 'codes' is arrays alone: bring the model's weights in"):
        run.load_model()
    assert not run.can_go_on
    again = import_run(RunStore(tmp_path / "elsewhere"), export_run(run))
    assert evaluate_run(again) == before


def changed(array: np.ndarray, value: float) -> np.ndarray:
    changed = array.copy()
    changed[4, 1] = value
    return changed


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"means": MEANS[:39]}, "'means' is (39, 3) and 'stds' is (40, 3): give one row for each example in both"),
        ({"means": MEANS[:, :2]}, "'means' is (40, 2) and 'stds' is (40, 3)"),
        ({"means": MEANS[0]}, "'means' is float32 (3,): give floating-point numbers (N, D)"),
        ({"means": MEANS.astype(int)}, "'means' is int64 (40, 3): give floating-point numbers"),
        ({"means": MEANS[:1], "stds": STDS[:1]}, "give 2 to 1,000,000 examples of 1 to 512 dimensions"),
        ({"means": changed(MEANS, np.nan)}, "'means' has 1 impossible numbers, the first at [4, 1]"),
        ({"means": changed(MEANS, np.inf)}, "'means' has 1 impossible numbers"),
        ({"stds": changed(STDS, 0)}, "'stds' has 1 impossible numbers, the first at [4, 1]: a std must be finite"),
        ({"stds": -STDS}, "'stds' has 120 impossible numbers, the first at [0, 0]"),
        ({"log_variances": STDS}, "needs 'means' and either 'stds' or 'log_variances'"),
        ({"recon": STDS}, "the .npz holds 'recon': known are means, stds"),
        ({"labels": np.zeros(39, int)}, "'labels' is int64 (39,): give 40 whole numbers or words"),
        ({"labels": np.zeros(40)}, "'labels' is float64 (40,)"),
        ({"label_names": np.array(["a"])}, "'label_names' and no 'labels'"),
        ({"labels": np.full(40, 2), "label_names": np.array(["a", "b"])}, "indices into the 2 'label_names'"),
        ({"pictures": np.zeros((40, 8, 8))}, "'pictures' is float64 (40, 8, 8): give uint8 (40, H, W)"),
        ({"pictures": np.zeros((39, 8, 8), np.uint8)}, "'pictures' is uint8 (39, 8, 8)"),
        ({"pictures": np.zeros((40, 129, 8), np.uint8)}, "up to 128 pixels a side"),
        ({"sentences": np.array(["a"] * 39)}, "'sentences' is <U1 (39,): give 40 texts"),
        (
            {"sentences": np.array(["a"] * 40), "pictures": np.zeros((40, 8, 8), np.uint8)},
            "'pictures' and 'sentences': give one",
        ),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_arrays_that_do_not_fit_are_refused_and_nothing_is_kept(
    store: RunStore, arrays: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValueError) as refusal:  # the whole reason is looked at below
        bring_arrays(store, "codes", packed(**arrays))

    assert reason in str(refusal.value)
    assert not store.root.exists() or not list(store.root.iterdir())


def test_the_configuration_says_what_it_is_of(store: RunStore) -> None:
    stored = json.loads((bring_arrays(store, "codes", packed(), file="mine.npz").folder / "config.json").read_text())

    assert stored["source"] == "arrays"
    assert stored["data"]["path"] == "mine.npz"
    assert stored["model"]["latent_dimensions"] == 3
