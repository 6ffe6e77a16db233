"""`compare`, as a terminal calls it: the Compare page's figures, in five forms."""

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

from bnvae.__main__ import main
from bnvae.runs import RunStore
from bnvae.runs.compare_runs import DataNames, entry_of

TINY = (
    *("--data", "digits", "--training-examples", "128"),
    *("--network", "mlp", "--hidden-units", "16", "--latent-dimensions", "4"),
    *("--batch-size", "16", "--device", "cpu", "--precision", "fp32", "--threads", "1", "--epochs", "1", "--quiet"),
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plain run, and a Scaler's with two seeds."""
    root = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BNVAE_CHECKPOINTS", str(root))
        patch.setenv("BNVAE_MAPS", "0")
        assert main(["train", *TINY, "--head", "gaussian", "--run", "plain"]) == 0
        assert main(["sweep", *TINY, "--head", "rms-scaler", "--seed", "3", "1", "--run", "cured"]) == 0
    return root


@pytest.fixture
def runs(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    root = tmp_path / "runs"
    shutil.copytree(trained, root)
    monkeypatch.setenv("BNVAE_CHECKPOINTS", str(root))
    return RunStore()


def elbo(runs: RunStore, name: str) -> float:
    return float((runs.get(name).evaluation() or {})["test"]["elbo"])


def test_the_table_has_seeds_as_one_column_and_differences_from_the_first(
    runs: RunStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", "plain", "cured-seed-1", "cured-seed-3"]) == 0
    shown = capsys.readouterr().out
    assert "cured (2 seeds)" in shown
    assert "minus plain" in shown
    plain = runs.get("plain").evaluation() or {}
    assert f"{-plain['test']['elbo']:.2f} ± {plain['test']['elbo_standard_error']:.2f}" in shown
    seeds = [elbo(runs, name) for name in ("cured-seed-1", "cured-seed-3")]
    assert f"−{-sum(seeds) / 2:.2f} ± {abs(seeds[0] - seeds[1]) / 2**0.5:.2f}" in shown
    assert "mean ± standard deviation over the seeds 1, 3 of cured-seed-1, cured-seed-3." in shown
    assert "* ELBO, distortion, rate: of pairs of the same test example." in shown


def test_a_training_that_was_stopped_is_no_seed_of_finished_ones(
    runs: RunStore, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped = runs.get("cured-seed-3")
    stopped.write_status(stopped.status.replace(state="stopped"))
    assert main(["compare", "cured-seed-1", "cured-seed-3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [run["run"] for run in found["runs"]] == ["cured-seed-1", "cured-seed-3"]


def test_json_has_the_figures_and_the_paired_difference(runs: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "plain", "cured-seed-1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [run["run"] for run in found["runs"]] == ["plain", "cured-seed-1"]
    assert found["runs"][0]["figures"]["elbo"]["value"] == elbo(runs, "plain")
    (apart,) = found["differences"]
    assert (apart["run"], apart["minus"]) == ("cured-seed-1", "plain")
    # Kept in fp32: seven digits of some 30 nats.
    assert apart["figures"]["elbo"]["mean"] == pytest.approx(elbo(runs, "cured-seed-1") - elbo(runs, "plain"), abs=1e-4)
    assert apart["figures"]["elbo"]["examples"] == 297  # all test digits


def test_csv_latex_and_markdown_are_the_pages(runs: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    from bnvae.comparison.seeds import by_seed
    from bnvae.comparison.table_export import EXPORTS

    names = DataNames()
    entries = by_seed([entry_of(runs.get(name), names) for name in ("plain", "cured-seed-1", "cured-seed-3")])
    for flag, (_, write) in zip(("--csv", "--latex", "--markdown"), EXPORTS.values(), strict=True):
        assert main(["compare", "plain", "cured-seed-1", "cured-seed-3", flag]) == 0
        assert capsys.readouterr().out.splitlines() == write(entries).splitlines()
    rows = list(csv.DictReader(io.StringIO(EXPORTS["CSV"][1](entries))))
    assert [row["seeds"] for row in rows] == ["1", "2"]
    assert rows[1]["differences from"] == "plain"


def test_a_figure_that_is_no_number_is_named_and_not_ranked(runs: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    path = runs.root / "plain" / "evaluation.json"
    kept = json.loads(path.read_text())
    kept["test"]["elbo"] = float("nan")
    path.write_text(json.dumps(kept))
    assert main(["compare", "plain", "cured-seed-1"]) == 0
    shown = capsys.readouterr().out
    assert "NaN" in shown
    assert "plain: not a finite number: ELBO. Not ranked." in shown
    (line,) = [line for line in shown.splitlines() if line.strip().startswith("ELBO")]
    assert "★" not in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nobody"], "run is 'nobody': there is none of that name. Known are "),
        (["plain", "plain"], "run 'plain' is named 2 times: name each run once"),
        (["plain", "../plain"], "run is '../plain': there is none"),
    ],
)
def test_runs_that_are_not_there_or_named_twice_are_refused(
    arguments: list[str], message: str, runs: RunStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_runs_without_any_figure_are_refused_with_the_remedy(
    runs: RunStore, capsys: pytest.CaptureFixture[str]
) -> None:
    (runs.root / "plain" / "evaluation.json").unlink()
    assert main(["compare", "plain"]) == 2
    assert (
        "none of them has been evaluated yet. Evaluate them: python -m bnvae evaluate plain" in capsys.readouterr().err
    )


def test_a_sweep_over_one_seed_named_twice_is_refused(runs: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", *TINY, "--run", "s", "--seed", "1", "1"]) == 2
    assert "seed is 1, 1: give each value once" in capsys.readouterr().err
