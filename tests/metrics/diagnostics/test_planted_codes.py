"""Verdicts on codes that carry nothing, whatever their KL: each was planted, and its figures were measured."""

import dataclasses
import math

import pytest
import torch
from torch import Tensor

from bnvae.config.schema import BATCH_NORMALISED, SCALED, HeadName, ModelConfig
from bnvae.data.dataset import ImageShape
from bnvae.metrics.diagnostics.diagnose import diagnose
from bnvae.metrics.diagnostics.finding import Finding, Patient, use_of
from bnvae.metrics.estimators.permutation import permuted_rise
from bnvae.metrics.test_set import evaluate
from bnvae.nn.posterior import LayerNormMeanHead, RootMeanSquareScalerHead, fixed_floors
from bnvae.nn.vae import VAE
from bnvae.training.evaluation import recompute_statistics
from tests.metrics.diagnostics.test_diagnose import PIXELS, Flat, examples, gaussian, model, names, value
from tests.metrics.linear import LinearDecoder

HEADS: tuple[HeadName, ...] = ("gaussian", "bn-mean", "bn-scaler", "rms-scaler", "ln-mean")
DIMENSIONS = 16


def patient(vae: VAE, data: Tensor, head: HeadName = "gaussian", *, thorough: bool = True) -> Patient:
    recompute_statistics(vae, data)
    figures = evaluate(vae, data).to_dict()
    return Patient(
        evaluation={"test": figures, "training": figures},
        thorough=dataclasses.asdict(permuted_rise(vae, data)) if thorough else None,
        modality="image",
        fixed_floor=fixed_floors(head, vae.latent_dimensions, tau=0.5, gamma=0.5),
        unit_moments=head in SCALED,
        forces_active=head in BATCH_NORMALISED,
    )


def untrained(head: HeadName, seed: int) -> VAE:
    config = ModelConfig(network="mlp", head=head, hidden_units=32, latent_dimensions=DIMENSIONS)
    return VAE.build("mlp", config, ImageShape(channels=1, height=8, width=8), seed=seed)


def pictures(count: int = 400) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randint(0, 256, (count, 1, 8, 8), dtype=torch.uint8, generator=generator)


def carries_nothing(findings: list[Finding]) -> bool:
    return any(each.severity == "bad" and each.name in ("Collapsed", "Code not used") for each in findings)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_head_that_never_learned_uses_no_code_however_large_its_kl(head: HeadName, seed: int) -> None:
    found = patient(untrained(head, seed), pictures(), head)
    assert carries_nothing(diagnose(found))
    rate, active = (found.evaluation["test"][name] for name in ("rate", "active_units"))
    if head != "gaussian":
        assert rate > 1.5  # far above what is called collapsed
        assert active == DIMENSIONS


@pytest.mark.parametrize("head", HEADS)
def test_constant_data_gives_a_code_that_tells_nothing(head: HeadName) -> None:
    findings = diagnose(patient(untrained(head, 0), pictures(1).repeat(300, 1, 1, 1), head))
    assert carries_nothing(findings)
    unused = next(each for each in findings if each.name in ("Collapsed", "Code not used"))
    assert value(unused, "mutual_information") == pytest.approx(0, abs=1e-6)
    assert head not in SCALED or value(unused, "rate") > 5
    # What a batch without variance is divided by is no moment: the head can't keep its floor, and the doctor says so.
    assert ("Floor breached" in names(findings)) == (head in BATCH_NORMALISED)


def test_one_mean_for_all_examples_tells_nothing_in_however_many_dimensions_its_kl_stands() -> None:
    head = LayerNormMeanHead(PIXELS, 13, gamma=0.5)
    with torch.no_grad():  # no layer looks at the features any more
        head.mean.weight.zero_()
        head.mean.bias.copy_(torch.linspace(-1.5, 2.0, 13))
        head.log_variance.weight.zero_()
        head.log_variance.bias.fill_(-0.5)
    findings = diagnose(patient(model(head, reads=1), examples(), "ln-mean"))
    assert findings[0].name == "Code not used"
    assert value(findings[0], "rate") > 1
    assert value(findings[0], "mutual_information") < 0.1
    assert not any("dimensions carry" in finding.claim for finding in findings)


@pytest.mark.parametrize(
    ("slope", "std", "offset", "reads"),
    [
        (1000.0, 0.2, 0.0, 0.0),  # means far apart, and a decoder that looks at none of them
        (0.01, 1.0, 1000.0, 1.0),  # one huge mean for all
        (1.0, 1000.0, 0.0, 1.0),  # means that differ by far less than their noise
    ],
)
def test_a_diverged_encoder_has_a_huge_kl_and_a_code_that_carries_nothing(
    slope: float, std: float, offset: float, reads: float
) -> None:
    findings = diagnose(patient(model(gaussian(4, slope=slope, std=std, offset=offset), reads=reads), examples()))
    assert findings[0].name == "Code not used"
    assert value(findings[0], "rate") > 1e5


def test_a_floor_as_of_a_delta_vae_is_kept_by_posteriors_that_are_all_the_same() -> None:
    # Razavi et al. 2019 keep every std away from the prior's: KL(N(0, 0.5^2) || N(0, 1)) = ln 2 - 3 / 8 a dimension.
    findings = diagnose(patient(model(gaussian(8, slope=0.0, std=0.5), reads=1), examples()))
    assert findings[0].name == "Code not used"
    assert value(findings[0], "rate") == pytest.approx(8 * (math.log(2) - 0.375), abs=1e-4)


def test_a_code_that_tells_and_is_read_is_healthy_and_forced_active_units_are_no_evidence() -> None:
    healthy = patient(model(gaussian(2, slope=0.32, std=0.22), reads=3), examples())
    (only,) = diagnose(healthy)
    assert only.name == "Code in use"
    assert value(only, "active_units") == 2
    (forced,) = diagnose(dataclasses.replace(healthy, forces_active=True))
    assert [each.figure for each in forced.evidence] == ["rate", "mutual_information", "permuted_rise"]


def test_without_a_rise_nobody_is_called_healthy() -> None:
    quick = patient(model(gaussian(2, slope=0.32, std=0.22), reads=3), examples(), thorough=False)
    assert use_of(quick).use == "not known"
    assert names(diagnose(quick)) == ["No illness seen"]


def test_a_wide_code_of_few_causes_pays_a_floor_that_is_dearer_than_all_it_can_tell() -> None:
    # Two causes told 40 times over: each dimension keeps its floor of 0.35 nats, and all together tell a few nats.
    torch.manual_seed(0)
    head = RootMeanSquareScalerHead(PIXELS, 40, tau=0.5)
    with torch.no_grad():
        head.mean.weight.zero_()
        head.std.weight.zero_()
        head.scaler.get_parameter("theta").fill_(-20.0)  # the std takes all it may
        head.mean.weight[:20, 0], head.mean.weight[20:, 1] = 1.0, 1.0
    weights = torch.zeros(PIXELS, 40)
    weights[0, :20], weights[1, 20:] = 0.2, 0.2
    vae = VAE(Flat(), head, LinearDecoder(weights)).eval()
    found = patient(vae, examples(), "rms-scaler")
    finding = diagnose(found)[0]
    assert finding.name == "Floor too dear"
    assert value(finding, "fixed_floor") == pytest.approx(20 * math.log(2))
    assert finding.claim.startswith("The floor alone costs 13.9 nats, ")
    assert "% of the rate" in finding.claim
    assert "fewer latent dimensions" in finding.advice
    assert use_of(found).use == "used"


@pytest.mark.parametrize(
    ("second", "severity"), [([1.0, 1.02, 0.98], None), ([1.0, 1.04, 1.0], "note"), ([0.95, 1.05, 1.31], "bad")]
)
def test_moments_that_are_not_those_of_the_training_set_are_found_in_each_dimension(
    second: list[float], severity: str | None
) -> None:
    test = {"rate": 4.0, "mutual_information": 2.5, "mutual_information_examples": 1000, "examples": 100}
    found = diagnose(
        Patient(
            evaluation={"test": test, "training": {"second_moment_per_dimension": second}},
            thorough={"permuted_rise": 5.0, "permuted_rise_standard_error": 0.1},
            modality="image",
            fixed_floor=[0.0] * 3,
            unit_moments=True,
        )
    )
    moments = [each for each in found if each.name == "Moments are not the data's"]
    assert [each.severity for each in moments] == ([] if severity is None else [severity])
    if severity == "bad":
        assert value(moments[0], "second_moment_per_dimension") == 1.31
        assert "Code in use" not in names(found)
    for each in moments:
        assert each.advice.startswith("Evaluate it again")
