"""The holes of the Tau page, run by Node, against the library's: one word, one number."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import torch

from bnvae.metrics.estimators.aggregated_posterior import HOLE_RATIO, in_holes
from bnvae.nn.posterior import Posterior

MODULE = Path(__file__).parents[3] / "pages" / "components" / "tau_density.js"
PROGRAM = """
import { readFileSync } from "node:fs";
const JointDensity = new Function(readFileSync(process.argv[1], "utf8") + "; return JointDensity;")();
const { points, reach, ratio } = JSON.parse(readFileSync(0, "utf8"));
console.log(new JointDensity().fill(points, reach, ratio).missed);
"""


@pytest.mark.parametrize("width", [0.15, 0.3])
def test_the_share_of_the_prior_in_holes_is_that_of_the_librarys_definition(width: float) -> None:
    if not (node := shutil.which("node")):
        pytest.skip("no Node: install the system package `nodejs`")
    mean = 0.4 * torch.randn(60, 2, generator=torch.Generator().manual_seed(0))
    std = torch.full_like(mean, width)
    points = {"xy": mean.flatten().tolist(), "spread": std.flatten().tolist()}
    done = subprocess.run(
        [node, "--input-type=module", "--eval", PROGRAM, str(MODULE)],
        input=json.dumps({"points": points, "reach": 4.0, "ratio": HOLE_RATIO}),
        capture_output=True,
        text=True,
        check=True,
    )
    draws = torch.randn(40_000, 2, generator=torch.Generator().manual_seed(1))
    wanted = in_holes(draws, Posterior(mean, std)).double().mean().item()
    assert wanted > 0.01
    # 52 cells a side, each 0.15 wide: a cell on the edge of a hole counts whole or not at all.
    assert float(done.stdout) == pytest.approx(wanted, abs=0.02)
