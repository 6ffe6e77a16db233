"""The plain figures of one tau, and the button that begins a sweep."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from bnvae.metrics.scaler_curves import Budget, Unscaled, UnscaledMoments
from bnvae.nn.scaler import fixed_floor
from bnvae.runs import RunStore
from bnvae.runs.groups import group_of
from pages.components.tau_explorer import Beside, Rival, TauRun
from pages.shared.tau import sweep as tau_sweep
from pages.shared.tau.export import as_html, figures_at
from tests.pages.reading import checked, words

Visit = Callable[..., AppTest]


@pytest.fixture
def run() -> TauRun:
    unscaled = Unscaled(mean=np.array([[1.0, -1.0], [-1.0, 1.0]]), std=np.ones((2, 2)))
    return TauRun(
        titles=["<b>mine</b>"],
        caption="",
        colour="#0072B2",
        taus=[0.3],
        thetas=np.zeros((1, 2)),
        unscaled=[unscaled],
        moments=[UnscaledMoments.of(unscaled)],
        largest_tau=0.99,
        axes=(0, 1),
    )


BESIDE = Beside(
    priced_taus=[0.0, 1.0],
    distortion=[90.0, 70.0],
    rivals=[Rival(title="plain", colour="#D55E00", rate=1.0, distortion=88.0)],
    plain=Budget(mean=np.zeros(2), std=np.ones(2)),
)


def test_figures_of_a_tau_have_it_in_their_titles_and_its_numbers_in_them(run: TauRun) -> None:
    figures = figures_at(run, BESIDE, 0.5)
    assert set(figures) == {"kl", "budget", "rate"}
    for figure in figures.values():
        assert figure.layout.title.text.endswith("&lt;b&gt;mine&lt;/b&gt;, τ = 0.500")
    # theta 0 at tau 0.5: gamma_mean^2 = 0.75, gamma_std^2 = 0.25, moments 1: KL = -ln(0.25) / 2, by hand.
    bars, fixed, current = figures["kl"].data
    assert list(bars.y) == pytest.approx([0.693147] * 2, abs=1e-6)
    assert list(fixed.y) == pytest.approx([fixed_floor(0.5)] * 2)
    assert list(current.y) == pytest.approx([0.693147] * 2, abs=1e-6)
    assert [list(part.y) for part in figures["budget"].data] == [pytest.approx([0.75] * 2), pytest.approx([0.25] * 2)]
    points = {part.name: (part.x[0], part.y[0]) for part in figures["rate"].data if len(part.x) == 1}
    assert points["plain"] == (1.0, 88.0)
    assert points["&lt;b&gt;mine&lt;/b&gt;, τ = 0.500"] == pytest.approx((1.386294, 80.0))


def test_the_file_needs_no_network_and_carries_the_library_once(run: TauRun) -> None:
    page = as_html(figures_at(run, BESIDE, 0.5)).decode()
    assert 'src="http' not in page
    assert page.count("plotly.js v") == 1
    assert page.count('class="plotly-graph-div"') == 3


def test_figures_are_shown_when_they_are_asked_for(runs: RunStore, visit: Visit) -> None:
    page = visit("tau", "digits-scaler", tau="0.7")
    assert not page.get("plotly_chart")
    checked(page.toggle(key="figures").set_value(True).run())
    assert len(page.get("plotly_chart")) == 3
    for chart in page.get("plotly_chart"):
        assert json.loads(chart.proto.spec)["layout"]["title"]["text"].endswith("τ = 0.700")


def test_a_sweep_is_begun_once_and_by_one_press(runs: RunStore, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Any] = []
    monkeypatch.setattr(tau_sweep, "submit", lambda *members, **options: begun.append((members, options)))
    page = visit("tau", "digits-scaler", meaning="retrained")
    checked(page.button(key="sweep-digits-scaler").click().run())
    ((members, options),) = begun
    assert options["sweep"] == "digits-scaler-sweep"
    assert [run.config.model.tau for run in members] == [0.1, 0.3, 0.5, 0.7, 0.9]
    assert {group_of(run) for run in members} == {"digits-scaler-sweep"}


def test_a_demonstration_offers_no_sweep(runs: RunStore, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNVAE_MODE", "demo")
    page = visit("tau", "digits-scaler", meaning="retrained")
    assert "differ in τ alone" in words(page)
    assert not [button for button in page.button if "sweep" in button.label]
