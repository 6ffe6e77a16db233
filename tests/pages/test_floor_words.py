"""Where the floor binds, of planted models whose rate is known in closed form at every tau."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from bnvae.metrics.scaler_curves import Unscaled, UnscaledMoments
from pages.components.tau_explorer import TauRun
from pages.shared.tau.floor import floor_words

DIMENSIONS = 4
EVERY = [round(row * 0.001, 3) for row in range(951)]


def planted(taus: Sequence[float], wanted: Callable[[float], float], *, sweep: bool = False) -> TauRun:
    """A model whose rate at tau is `wanted` nats, or its floor where that is more.

    With one std for all examples KL_d = -ln((1 - tau) sigmoid(-theta)) / 2, which is solved for theta.
    """
    share = [min(np.exp(-2 * wanted(tau) / DIMENSIONS) / (1 - tau), 1 - 1e-12) for tau in taus]
    thetas = np.array([[np.log(1 / one - 1)] * DIMENSIONS for one in share])
    unscaled = Unscaled(mean=np.ones((3, DIMENSIONS)), std=np.ones((3, DIMENSIONS)))
    count = len(taus) if sweep else 1
    return TauRun(
        titles=["run"] * count,
        caption="",
        colour="#000000",
        taus=taus,
        thetas=thetas,
        unscaled=[unscaled] * count,
        moments=[UnscaledMoments.of(unscaled)] * count,
        largest_tau=taus[-1],
        axes=(0, 1),
    )


def test_a_rate_that_the_data_set_is_said_to_stay_up_to_the_tau_whose_floor_reaches_it() -> None:
    # 90 % of 4 nats is the floor at tau = 1 - exp(-1.8) = 0.8347: of the steps of 0.01 the next is 0.84.
    assert floor_words(planted(EVERY, lambda tau: 4.0)) == (
        "The floor binds from τ = 0.84 on, where the slider sets the rate; below it the data take 4.0 nats, more than "
        "the floor asks for. Moving the slider there hardly changes the rate."
    )


def test_a_rate_above_all_floors_is_said_to_be_bound_nowhere() -> None:
    words = floor_words(planted(EVERY, lambda tau: 20.0))  # the floor ends at 6.0 nats
    assert words.startswith("The floor binds at no τ here: the data take 20.0 nats, more than the floor asks for.")
    assert words.endswith("Moving the slider here hardly changes the rate.")


def test_a_rate_that_moves_by_itself_is_not_called_still() -> None:
    words = floor_words(planted(EVERY, lambda tau: 20.0 + 20 * tau))
    assert "the data take 20.0 to 39.0 nats" in words
    assert "hardly" not in words


def test_a_still_middle_is_named_by_its_ends() -> None:
    words = floor_words(planted(EVERY, lambda tau: 10.0 if tau < 0.1 else 30.0 if tau > 0.9 else 20.0))
    assert words.endswith("Between τ = 0.10 and 0.90 moving the slider hardly changes the rate: 20.0 nats.")


def test_a_rate_at_its_floor_everywhere_is_set_by_the_slider() -> None:
    words = floor_words(planted(EVERY, lambda tau: 0.0))
    assert words == "The floor binds from the smallest τ on: the slider sets the rate."


@pytest.mark.parametrize(("rate", "until"), [(1.0, "0.50"), (2.5, "0.90")])
def test_a_sweep_names_its_first_member_whose_floor_binds(rate: float, until: str) -> None:
    # floors: 0.21, 1.39 and 4.61 nats
    words = floor_words(planted([0.1, 0.5, 0.9], lambda tau: rate, sweep=True))
    assert words.startswith(f"The floor binds from τ = {until} on")
    assert f"the data take {rate:.1f} nats" in words


def test_of_a_rate_that_is_not_a_number_nothing_is_said() -> None:
    run = planted(EVERY, lambda tau: 4.0)
    run.moments[0].mean_square[0] = np.nan
    assert floor_words(run) == ""
