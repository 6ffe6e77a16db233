"""What is kept of each test example: with the evaluation it belongs to, read with care, exported with the run."""

from pathlib import Path

import numpy as np
import pytest
import torch

from bnvae.config.schema import RunConfig
from bnvae.data.random_subset import random_subset
from bnvae.jobs.evaluate_runs import evaluate_run
from bnvae.jobs.train_runs import train_runs
from bnvae.metrics.figures.example_figures import ExampleFigures
from bnvae.metrics.thorough import ThoroughSettings
from bnvae.runs import BrokenRunError, Run, RunStore
from bnvae.runs.derived.kept_example_figures import EXAMPLE_FIGURES, NAMES, read_example_figures, write_example_figures
from bnvae.runs.evaluation_state import kept_thorough
from bnvae.runs.export.archive import export_run, import_run
from bnvae.runs.storage.atomic_files import read_arrays, write_arrays


@pytest.fixture
def run(tmp_path: Path, tiny: RunConfig) -> Run:
    made = RunStore(tmp_path).create("a", tiny)
    train_runs([made], lambda *_: None)
    return made


def test_a_finished_training_keeps_the_figures_of_each_test_example(run: Run) -> None:
    evaluation = run.evaluation()
    assert evaluation
    each = read_example_figures(run, evaluation, None)
    assert each is not None
    assert each.rows.tolist() == list(range(run.card.test_examples))
    # fp32: seven digits.
    assert each.distortion.mean().item() == pytest.approx(evaluation["test"]["distortion"], rel=1e-6)
    assert each.rate.mean().item() == pytest.approx(evaluation["test"]["rate"], rel=1e-6)
    assert each.nll is None


def test_a_thorough_evaluation_keeps_each_likelihood_and_a_quick_one_leaves_it(run: Run) -> None:
    for settings in (ThoroughSettings(samples=4, examples=9), None):
        figures = evaluate_run(run, settings)
        each = read_example_figures(run, figures, kept_thorough(run))
        assert each is not None
        assert each.nll is not None
        assert each.nll_rows is not None
        assert torch.equal(each.nll_rows, random_subset(run.card.test_examples, 9))
        assert each.nll.mean().item() == pytest.approx(figures["thorough"]["nll"], rel=1e-6)


def test_figures_of_another_evaluation_are_not_taken_for_this_ones(run: Run) -> None:
    evaluation = run.evaluation()
    assert evaluation
    evaluation["test"]["elbo"] -= 1
    assert read_example_figures(run, evaluation, None) is None
    (run.folder / EXAMPLE_FIGURES).unlink()
    assert read_example_figures(run, run.evaluation(), None) is None


def test_figures_that_are_not_finite_are_not_kept(run: Run) -> None:
    evaluation = run.evaluation()
    assert evaluation
    rows = torch.arange(run.card.test_examples)
    ones = torch.ones(len(rows))
    each = ExampleFigures(rows=rows, distortion=ones.clone().index_fill_(0, rows[:1], torch.inf), rate=ones)
    write_example_figures(run, each, run.card.digest, evaluation)
    assert read_example_figures(run, evaluation, None) is None
    assert not (run.folder / EXAMPLE_FIGURES).exists()


def test_they_go_with_the_run_to_another_place(run: Run, tmp_path: Path) -> None:
    evaluate_run(run, ThoroughSettings(samples=4))
    again = import_run(RunStore(tmp_path / "elsewhere"), export_run(run))
    each = read_example_figures(again, again.evaluation(), kept_thorough(again))
    assert each is not None
    assert each.nll is not None


@pytest.mark.parametrize(
    ("name", "array", "words"),
    [
        ("rows", np.arange(3.0), "rows is float64"),
        ("rows", np.array([0, 0, 1]), "rising numbers"),
        ("rows", np.array([0, 1, 10**9]), "rising numbers"),
        ("distortion", np.array([1.0, np.nan, 2.0]), "3 finite numbers"),
        ("rate", np.zeros(2), "3 finite numbers"),
        ("nll", np.zeros(2), "0 finite numbers"),
        ("header", np.frombuffer(b"{", dtype=np.uint8), "cannot be read"),
        ("header", np.frombuffer(b"[]", dtype=np.uint8), "no object"),
        ("header", np.array([{}], dtype=object), "cannot be read"),
    ],
)
def test_what_is_damaged_is_refused_by_name_also_in_an_archive(
    run: Run, tmp_path: Path, name: str, array: np.ndarray, words: str
) -> None:
    path = run.folder / EXAMPLE_FIGURES
    stored = read_arrays(path, NAMES)
    stored |= {part: stored[part][:3] for part in ("rows", "distortion", "rate")} | {name: array}
    if array.dtype == object:
        np.savez(path, **stored)  # type: ignore[arg-type]
    else:
        write_arrays(path, stored)
    with pytest.raises(BrokenRunError, match=words):
        read_example_figures(run, run.evaluation(), None)
    with pytest.raises(ValueError, match=words):
        import_run(RunStore(tmp_path / "elsewhere"), export_run(run))


def test_equal_means_of_rows_that_the_file_lacks_are_no_likelihood(run: Run) -> None:
    figures = evaluate_run(run, ThoroughSettings(samples=4))
    each = read_example_figures(run, figures, {**figures["thorough"], "nll": 0.0})
    assert each is not None
    assert each.nll is None
    assert torch.isfinite(each.distortion).all()
