"""The Compare page: figures, verdicts, views in the address, evaluations in processes of their own."""

import dataclasses
import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bnvae.jobs.evaluate_runs import evaluate_run
from bnvae.metrics.thorough import ThoroughSettings
from bnvae.runs import RunStore
from bnvae.runs.evaluation_state import PROGRESS, EvaluationDesk
from bnvae.runs.groups import join
from bnvae.runs.progress.step_times import CLOCK
from bnvae.runs.storage.atomic_files import write_json
from pages.shared.compare.entries import floors_of_figures
from tests.pages.reading import drawn, runs_choice, small, words

Visit = Callable[..., AppTest]
VIEWS = (
    "Verdict",
    "What it buys",
    "Differences",
    "Rate and distortion",
    "KL",
    "Curves",
    "Loss ledger",
    "Take home",
)


def table(page: AppTest, place: int = 0) -> dict[str, dict[str, str]]:
    """Run to column title to what is shown, of the page's first table or a later one."""
    data = drawn(page, "figure_table")[place]
    titles = [column["title"] for column in data["columns"]]
    return {row["title"]: dict(zip(titles, row["words"], strict=True)) for row in data["rows"]}


@pytest.mark.parametrize("view", VIEWS)
def test_each_view_is_in_the_address_and_shows_runs_of_all_kinds(view: str, runs: RunStore, visit: Visit) -> None:
    page = visit("compare", "digits-plain", "digits-scaler", "story-plain", "story-bn", view=view)
    assert set(table(page)) == {"digits-plain", "digits-scaler", "story-plain", "story-bn"}
    assert "different data" in words(page)
    assert bool(drawn(page, "verdicts")) == (view == "Verdict")
    assert len(drawn(page, "kl_bars")) == (4 if view == "KL" else 0)
    assert len(drawn(page, "curves")) == (2 if view == "Curves" else 0)
    assert not page.error


def test_figures_are_those_of_the_evaluation_with_a_true_minus(runs: RunStore, visit: Visit) -> None:
    figures = (runs.get("digits-plain").evaluation() or {})["test"]
    row = table(visit("compare", "digits-plain"))["digits-plain"]
    assert row["ELBO"] == f"−{-figures['elbo']:.2f} ± {figures['elbo_standard_error']:.2f}"
    assert row["rate"] == f"{figures['rate']:.2f} ± {figures['rate_standard_error']:.2f}"


def test_figures_that_an_older_version_kept_have_no_error_and_are_shown(runs: RunStore, visit: Visit) -> None:
    path = runs.root / "digits-plain" / "evaluation.json"
    kept = json.loads(path.read_text())
    for split in ("test", "training"):
        kept[split] = {name: value for name, value in kept[split].items() if not name.endswith("standard_error")}
    write_json(path, kept)
    row = table(visit("compare", "digits-plain", "digits-scaler"))["digits-plain"]
    assert row["ELBO"] == f"−{-kept['test']['elbo']:.2f}"


def test_a_collapsed_run_has_no_star_for_what_it_gets_for_nothing_and_the_page_says_why(
    runs: RunStore, visit: Visit
) -> None:
    for name, information, marginal_kl in (("digits-plain", 0.01, 0.0), ("digits-scaler", 3.0, 1.5)):
        test = {"rate": 4.0, "mutual_information": information, "marginal_kl": marginal_kl, "active_units": 0}
        write_json(runs.root / name / "evaluation.json", {"test": test, "training": test})
    page = visit("compare", "digits-plain", "digits-scaler")
    data = drawn(page, "figure_table")[0]
    place = [column["title"] for column in data["columns"]].index("marginal KL")
    rows = {row["title"]: row for row in data["rows"]}
    assert rows["digits-plain"]["words"][place] == "0.00°"
    assert rows["digits-plain"]["notes"][place] == "a mutual information of 0.010 nats is less than 0.1"
    assert [row["best"][place] for row in rows.values()] == [False, False]
    remark, *_, forced = data["remarks"]
    active = [column["title"] for column in data["columns"]].index("active units")
    assert [(row["words"][active], row["notes"][active]) for row in rows.values()] == [
        ("0", ""),
        ("0 †", "by construction"),
    ]
    assert forced.startswith("† active units: by construction. Dimensions whose posterior mean")
    assert forced.endswith("their number is then no sign that the code tells anything.")
    assert remark.startswith("° digits-plain: marginal KL not compared, for a mutual information of 0.010 nats")


def test_thorough_figures_join_the_table_with_their_error(runs: RunStore, visit: Visit) -> None:
    assert "NLL" not in table(visit("compare", "digits-plain"))["digits-plain"]
    figures = evaluate_run(runs.get("digits-plain"), ThoroughSettings(samples=4, examples=30))["thorough"]
    row = table(visit("compare", "digits-plain"))["digits-plain"]
    assert row["NLL"] == f"{figures['nll']:.2f} ± {figures['nll_standard_error']:.2f}"
    assert row["draws K"] == "4"
    (cards,) = drawn(visit("compare", "digits-plain"), "verdicts")
    numbers = [label for claim in cards["runs"][0]["claims"] for _, label in claim["numbers"]]
    assert "rise of the distortion when z is permuted" in numbers


def test_twelve_runs_are_compared_and_other_pages_show_the_first_four(runs: RunStore, visit: Visit) -> None:
    ids = [f"copy-{index}" for index in range(6)]
    for name in ids:
        shutil.copytree(runs.root / "digits-plain", runs.root / name)
    compared = visit("compare", *ids)
    assert len(table(compared)) == 6
    assert "at most" not in words(compared)
    assert runs_choice(visit("overview", *ids)).value == ids[:4]


def test_the_sort_comes_from_the_address(runs: RunStore, visit: Visit) -> None:
    page = visit("compare", "digits-plain", sort="-rate")
    assert drawn(page, "figure_table")[0]["sort"] == "-rate"
    assert page.query_params["sort"] in ("-rate", ["-rate"])


@pytest.mark.parametrize("value", ["<b>", {"a": 1}, [1], True, None, math.nan, 10**400, -(2**70)])
def test_a_strangers_figures_that_are_no_numbers_are_left_out(value: object, runs: RunStore, visit: Visit) -> None:
    figures = dict.fromkeys(("elbo", "rate", "distortion", "kl_per_dimension", "examples", "active_units"), value)
    thorough = dict.fromkeys(("nll", "permuted_rise", "tokens", "nll_by_samples", "modes", "weights"), value)
    for run in ("story-bn", "digits-plain"):
        write_json(runs.root / run / "evaluation.json", {"test": figures, "training": figures, "thorough": thorough})
    for view in VIEWS:
        assert not visit("compare", "story-bn", "digits-plain", view=view).error


def test_a_run_without_an_evaluation_stands_there_without_figures(runs: RunStore, visit: Visit) -> None:
    (runs.root / "digits-plain" / "evaluation.json").unlink()
    for view in VIEWS:
        page = visit("compare", "digits-plain", "digits-scaler", view=view)
        assert table(page)["digits-plain"]["ELBO"] == "–"


def test_a_broken_evaluation_is_said(runs: RunStore, visit: Visit) -> None:
    (runs.root / "digits-plain" / "evaluation.json").write_text("<b>")
    page = visit("compare", "digits-plain", "digits-scaler")
    assert "evaluation.json" in words(page)
    assert set(table(page)) == {"digits-scaler"}


def test_an_evaluation_is_started_in_a_process_of_its_own(
    runs: RunStore, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[tuple[str, int, int]] = []

    def examine(run: object, *, samples: int, examples: int) -> bool:
        started.append((run.id, samples, examples))  # type: ignore[attr-defined]
        return True

    monkeypatch.setattr("pages.shared.compare.evaluating.examine", examine)
    page = visit("compare", "digits-plain", "story-bn")
    page.select_slider(key="evaluate-samples").set_value(10)
    page.button(key="evaluate-go").click().run()
    assert started == [("digits-plain", 10, 500), ("story-bn", 10, 500)]


def test_an_evaluation_under_way_shows_its_progress_and_can_be_stopped(runs: RunStore, visit: Visit) -> None:
    folder = runs.root / "digits-plain"
    report = {"state": "starting", "what": "Waiting for others: place 2 in line.", "share": 0.25, "process": 1}
    (folder / PROGRESS).write_text(json.dumps(report))
    page = visit("compare", "digits-plain")
    assert "place 2 in line" in words(page)
    page.button(key="stop-evaluation-digits-plain").click().run()
    assert (folder / "evaluating.stop").exists()


def test_a_failed_evaluation_says_why_as_plain_text(runs: RunStore, visit: Visit) -> None:
    reason = "nll is nan: **bold** <b>"
    (runs.root / "digits-plain" / PROGRESS).write_text(json.dumps({"state": "failed", "what": reason, "share": 0}))
    page = visit("compare", "digits-plain")
    assert any(reason in text.value for text in page.text)


def test_a_launched_evaluation_leaves_its_figures_with_the_run(
    runs: RunStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from bnvae.jobs.launch import examine, reap
    from tests.jobs.test_launch import wait_until

    run = runs.get("digits-plain")
    assert examine(run, samples=2, examples=10)
    assert not examine(run, samples=2, examples=10)
    wait_until(lambda: "thorough" in (run.evaluation() or {}))
    wait_until(lambda: EvaluationDesk(run.folder).look().state == "idle")
    reap()


@pytest.mark.parametrize(
    "file", ["config.json", "data.json", "history.jsonl", "weights.safetensors", "evaluation.json"]
)
@pytest.mark.parametrize("content", [None, b"<b>"])
def test_the_page_survives_a_damaged_file(file: str, content: bytes | None, runs: RunStore, visit: Visit) -> None:
    path = runs.root / "story-bn" / file
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    page = visit("compare", "story-bn", "digits-plain", view="Curves")
    assert "digits-plain" in table(page)


def test_a_model_made_for_every_tau_is_held_against_the_floor_of_its_figures() -> None:
    config = small("digits", "rms-scaler", 4)
    model = dataclasses.replace(config.model, amortised=True, tau_max=0.9)
    every = dataclasses.replace(config, model=model)
    assert floors_of_figures(every, {"test": {"tau": 0.5}}) == pytest.approx([math.log(2) / 2] * 4)
    assert floors_of_figures(every, {"test": {"tau": 10**400}}) == pytest.approx([math.log(2) / 2] * 4)
    assert floors_of_figures(small("digits", "gaussian", 4), {}) is None


def planted(runs: RunStore, name: str, like: str, rate: float, distortion: float, **objective: float) -> None:
    """A run with these figures of test examples, equal to another but for its objective."""
    if name != like:
        shutil.copytree(runs.root / like, runs.root / name)
    config = json.loads((runs.root / like / "config.json").read_text())
    config["training"] |= objective
    write_json(runs.root / name / "config.json", config)
    test = {"examples": 100, "rate": rate, "distortion": distortion, "elbo": -rate - distortion}
    write_json(runs.root / name / "evaluation.json", {"test": test, "training": test})


@pytest.fixture
def ladder(runs: RunStore) -> RunStore:
    """Plain VAEs at rates of 2 and 6 nats, and one with a Scaler between them."""
    planted(runs, "digits-plain", "digits-plain", 2.0, 20.0)
    planted(runs, "digits-loose", "digits-plain", 6.0, 18.0, beta=0.4)
    planted(runs, "digits-scaler", "digits-scaler", 4.0, 18.5)
    return runs


def rates_asked(page: AppTest) -> list[object]:
    return [slider.value for slider in page.select_slider if slider.label.startswith("Compare at a rate")]


def test_methods_are_compared_at_equal_rate(ladder: RunStore, visit: Visit) -> None:
    """Halfway between the plain ones lies 19; the Scaler's 18.5 is measured and lower by half a nat."""
    page = visit("compare", "digits-plain", "digits-loose", "digits-scaler", view="Rate and distortion")
    assert rates_asked(page) == [4.0]  # the one rate at which both methods are known
    assert table(page, 1) == {
        "β": {"distortion": "19.00", "ELBO": "−23.00"},
        "RMS + Scaler": {"distortion": "18.50", "ELBO": "−22.50"},
    }
    rows = {row["title"]: row for row in drawn(page, "figure_table")[1]["rows"]}
    assert rows["β"]["captions"] == ["β 0.4 to 1: 2.00 to 6.00 nats", "between digits-plain and digits-loose"]
    assert rows["RMS + Scaler"]["captions"][1] == "measured: digits-scaler"
    assert [row["best"][0] for row in rows.values()] == [False, True]


def test_beyond_a_methods_own_models_nothing_is_said(ladder: RunStore, visit: Visit) -> None:
    page = visit("compare", "digits-plain", "digits-loose", "digits-scaler", view="Rate and distortion", at="6.1")
    assert rates_asked(page) == [6.0]
    assert table(page, 1)["RMS + Scaler"] == {"distortion": "–", "ELBO": "–"}
    assert not any(row["best"][0] for row in drawn(page, "figure_table")[1]["rows"])


def test_members_of_a_chosen_runs_sweep_lend_their_points(ladder: RunStore, visit: Visit) -> None:
    for name in ("digits-plain", "digits-loose"):
        join(ladder.root / name, "sweep")
    page = visit("compare", "digits-plain", "digits-scaler", view="Rate and distortion", at="4")
    assert table(page, 1)["β"]["distortion"] == "19.00"
    assert "1 further runs" in words(page)


def test_one_method_alone_has_nothing_to_be_compared_with(ladder: RunStore, visit: Visit) -> None:
    page = visit("compare", "digits-plain", "digits-loose", view="Rate and distortion", at="nonsense")
    assert len(drawn(page, "figure_table")) == 1
    assert rates_asked(page) == []


def test_a_row_names_objective_and_tau(runs: RunStore, visit: Visit) -> None:
    planted(runs, "digits-plain", "digits-plain", 2.0, 20.0, beta=0.4, free_bits_per_dimension=0.25)
    config = json.loads((runs.root / "digits-scaler" / "config.json").read_text())
    config["model"] |= {"amortised": True, "tau_max": 0.9}
    write_json(runs.root / "digits-scaler" / "config.json", config)
    write_json(runs.root / "digits-scaler" / "evaluation.json", {"test": {"rate": 1.0, "tau": 0.3}, "training": {}})
    rows = {
        row["title"]: row["captions"][0]
        for row in drawn(visit("compare", "digits-plain", "digits-scaler"), "figure_table")[0]["rows"]
    }
    assert rows["digits-plain"] == "plain VAE, β = 0.4, 0.25 nats free per dimension"
    assert rows["digits-scaler"] == "RMS + Scaler, every τ to 0.9, here τ = 0.3"


def test_curves_go_over_seconds_where_a_run_knows_them(runs: RunStore, visit: Visit) -> None:
    steps = [record.step for record in runs.get("digits-plain").history().steps]
    (runs.root / "digits-plain" / CLOCK).write_text("0 0\n1000 4000\n")  # four seconds a step
    (runs.root / "digits-scaler" / CLOCK).unlink(missing_ok=True)
    page = visit("compare", "digits-plain", "digits-scaler", view="Curves", over="seconds")
    (chart,) = drawn(page, "curves")
    (series,) = chart["series"]
    assert series["x"] == [4.0 * step for step in steps]
    assert "seconds of training" in chart["x_label"]
    assert "not of those that were bundled" in words(page)


def seeded(runs: RunStore, name: str, seed: int, *, elbo: float) -> None:
    """A copy of a run that says it has another seed, with this ELBO."""
    shutil.copytree(runs.root / "digits-plain", runs.root / name)
    config = json.loads((runs.root / name / "config.json").read_text())
    config["training"]["seed"] = seed
    write_json(runs.root / name / "config.json", config)
    test = {"rate": 4.0, "elbo": elbo, "elbo_standard_error": 0.1}
    write_json(runs.root / name / "evaluation.json", {"test": test, "training": test})


def test_runs_equal_but_for_their_seed_are_one_row_and_listed_one_by_one(runs: RunStore, visit: Visit) -> None:
    for seed, elbo in enumerate((-20.0, -22.0)):
        seeded(runs, f"twin-seed-{seed}", seed, elbo=elbo)
    page = visit("compare", "twin-seed-0", "twin-seed-1", "digits-scaler", view="Differences")
    rows = table(page)
    assert set(rows) == {"twin (2 seeds)", "digits-scaler"}
    assert rows["twin (2 seeds)"]["ELBO"] == "−21.00 ± 1.41"
    differences, seeds = table(page, 1), table(page, 2)
    assert set(differences) == {"digits-scaler"}
    assert {name: row["ELBO"] for name, row in seeds.items()} == {
        "twin-seed-0": "−20.00 ± 0.10",
        "twin-seed-1": "−22.00 ± 0.10",
    }
    marked = [row["best"] + row["level"] for row in drawn(page, "figure_table")[2]["rows"]]
    assert not any(map(any, marked))
    remarks = drawn(page, "figure_table")[0]["remarks"]
    assert any(words.startswith("twin (2 seeds): mean ± standard deviation over the seeds 0, 1") for words in remarks)


def test_a_figure_that_is_no_number_is_named_below_the_table(runs: RunStore, visit: Visit) -> None:
    path = runs.root / "digits-plain" / "evaluation.json"
    kept = json.loads(path.read_text())
    kept["test"]["elbo"] = math.nan
    write_json(path, kept)
    page = visit("compare", "digits-plain", "digits-scaler")
    assert table(page)["digits-plain"]["ELBO"] == "NaN"
    assert any("digits-plain: not a finite number: ELBO" in line for line in drawn(page, "figure_table")[0]["remarks"])


def test_runs_trained_here_are_compared_by_pairs(runs: RunStore, visit: Visit) -> None:
    page = visit("compare", "digits-plain", "digits-scaler", view="Differences")
    assert table(page, 1)["digits-scaler"]["ELBO"].endswith("*")
    above, beside = drawn(page, "figure_table")
    assert "* ELBO, distortion, rate: of pairs of the same test example" in " ".join(beside["remarks"])
    assert not any("*" in words for row in above["rows"] for words in row["words"])
