"""The closed form of the browser, run by Node, against the library's heads and the KL of Kingma and Welling."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bnvae.metrics import scaler_curves as closed_form
from bnvae.metrics.scaler_curves import Unscaled, UnscaledMoments
from bnvae.nn.posterior import kl_per_dimension
from bnvae.nn.scaler import Scaler, fixed_floor

MODULE = Path(__file__).parents[3] / "pages" / "components" / "tau_closed_form.js"
PROGRAM = """
import { readFileSync } from "node:fs";
const { sharesAt, fixedFloor, currentFloors, budgetAt, klAt, posteriorsAt } = await import(process.argv[1]);
const cases = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(cases.map(({ tau, theta, moments, mean, std, axes }) => {
  const shares = sharesAt(tau, theta);
  const budget = budgetAt(shares, moments);
  const unscaled = { columns: theta.length, mean: mean.flat(), std: std.flat() };
  return {
    meanShare: [...shares.mean], stdShare: [...shares.std], floor: fixedFloor(tau), floors: [...currentFloors(shares)],
    budgetMean: [...budget.mean], budgetStd: [...budget.std], kl: [...klAt(shares, moments)],
    ...posteriorsAt(shares, unscaled, axes, mean.length),
  };
})));
"""


def by_node(cases: list[dict[str, object]]) -> list[dict[str, list[float]]]:
    if not (node := shutil.which("node")):
        pytest.skip("no Node: install the system package `nodejs`")
    command = [node, "--input-type=module", "--eval", PROGRAM, MODULE.as_uri()]
    done = subprocess.run(command, input=json.dumps(cases), capture_output=True, text=True, check=True)
    found: list[dict[str, list[float]]] = json.loads(done.stdout)
    return found


def case(seed: int, dimensions: int, tau: float, reach: float) -> dict[str, object]:
    """Random posteriors before the Scaler, and theta as far as `reach` from 0."""
    generator = torch.Generator().manual_seed(seed)
    mean = torch.randn(40, dimensions, generator=generator)
    std = torch.rand(40, dimensions, generator=generator) + 0.05
    theta = (2 * torch.rand(dimensions, generator=generator) - 1) * reach
    moments = UnscaledMoments.of(Unscaled(mean=mean.numpy(), std=std.numpy()))
    return {
        "tau": tau,
        "theta": theta.tolist(),
        "mean": mean.tolist(),
        "std": std.tolist(),
        "axes": [0, dimensions - 1],
        "moments": {
            "mean": moments.mean_square.tolist(),
            "std": moments.std_square.tolist(),
            "logStd": moments.log_std_square.tolist(),
        },
    }


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    dimensions=st.integers(1, 64),
    taus=st.lists(st.floats(0, 0.99), min_size=1, max_size=20),
    reach=st.floats(0, 6),
)
def test_the_browsers_closed_form_is_the_librarys(seed: int, dimensions: int, taus: list[float], reach: float) -> None:
    cases = [case(seed + i, dimensions, tau, reach) for i, tau in enumerate(taus)]
    for given_case, found in zip(cases, by_node(cases), strict=True):
        tau, theta = float(str(given_case["tau"])), torch.tensor(given_case["theta"])
        scaler = Scaler(dimensions, tau)
        scaler.theta.data.copy_(theta)
        gammas = scaler()
        mean = gammas.mean.detach() * torch.tensor(given_case["mean"])
        std = gammas.std.detach() * torch.tensor(given_case["std"])
        wanted = {
            "kl": kl_per_dimension(mean, std).mean(0),
            "budgetMean": mean.square().mean(0),
            "budgetStd": std.square().mean(0),
            "meanShare": gammas.mean.detach().square(),
            "stdShare": gammas.std.detach().square(),
            "floors": scaler.current_floor(),
            "xy": mean[:, [0, -1]].flatten(),
            "spread": std[:, [0, -1]].flatten(),
        }
        for name, values in wanted.items():
            # fp32 in the library, fp64 in the browser.
            np.testing.assert_allclose(found[name], values.numpy(), rtol=1e-5, atol=1e-5, err_msg=name)
        assert found["floor"] == pytest.approx(fixed_floor(tau), abs=1e-12)


def test_the_browsers_closed_form_is_that_of_the_arrays() -> None:
    (found,) = by_node([case(3, 7, 0.42, 3.0)])
    given_case = case(3, 7, 0.42, 3.0)
    at = closed_form.shares(np.array(given_case["theta"]), 0.42)
    unscaled = Unscaled(mean=np.array(given_case["mean"]), std=np.array(given_case["std"]))
    kl = closed_form.kl_per_dimension(UnscaledMoments.of(unscaled), at)
    np.testing.assert_allclose(found["kl"], kl, rtol=1e-9)
    np.testing.assert_allclose(found["floors"], closed_form.current_floor(at), rtol=1e-9)


def test_a_theta_far_out_neither_overflows_nor_loses_its_sum() -> None:
    far = case(0, 2, 0.25, 1.0) | {"theta": [-900.0, 30.0]}
    (found,) = by_node([far])
    assert np.add(found["meanShare"], found["stdShare"]) == pytest.approx([1, 1], abs=1e-12)
    assert found["meanShare"][0] == pytest.approx(0.25)
