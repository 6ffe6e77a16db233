"""Verdicts on models whose illness was planted, from figures that were measured on them."""

import dataclasses
import math
from typing import Any, Literal, final

import pytest
import torch
from torch import Tensor

from bnvae.metrics.diagnostics.diagnose import diagnose
from bnvae.metrics.diagnostics.finding import Finding, Patient
from bnvae.metrics.estimators.aggregated_posterior import holes
from bnvae.metrics.estimators.bn_modes import in_eval_mode, in_training_mode
from bnvae.metrics.estimators.importance_sampling import importance_sampled_nll
from bnvae.metrics.estimators.permutation import permuted_rise
from bnvae.metrics.test_set import evaluate
from bnvae.nn.networks.base import Encoder
from bnvae.nn.posterior import GaussianHead, PosteriorHead, RootMeanSquareScalerHead
from bnvae.nn.vae import VAE
from bnvae.training.evaluation import encode, recompute_statistics
from tests.metrics.linear import LinearDecoder

PIXELS = 6


@final
class Flat(Encoder):
    features = PIXELS

    def forward(self, examples: Tensor) -> Tensor:
        return examples.flatten(1)


def examples(count: int = 1500, *, signs: bool = False) -> Tensor:
    """Noise around a plane; with `signs` around four points of it that are far apart."""
    generator = torch.Generator().manual_seed(4)
    codes = torch.randn(count, 2, generator=generator)
    if signs:
        codes = codes.sign()
    rows = codes @ torch.eye(2, PIXELS) * 3 + 0.3 * torch.randn(count, PIXELS, generator=generator)
    return rows[:, None, None]


def gaussian(dimensions: int, *, slope: float, std: float, offset: float = 0.0) -> GaussianHead:
    """mean_d = slope * x_d + offset, the same std everywhere."""
    head = GaussianHead(PIXELS, dimensions)
    with torch.no_grad():
        head.mean.weight.copy_(slope * torch.eye(dimensions, PIXELS))
        head.mean.bias.fill_(offset)
        head.log_variance.weight.zero_()
        head.log_variance.bias.fill_(2 * math.log(std))
    return head


def model(head: PosteriorHead, *, reads: float) -> VAE:
    """The decoder's mean is `reads` times the code in each direction of the plane."""
    return VAE(Flat(), head, LinearDecoder(reads * torch.eye(PIXELS, head.latent_dimensions))).eval()


def examined(
    vae: VAE, data: Tensor, modality: Literal["text", "image"] = "image", *, floor: float = 0.0, recompute: bool = True
) -> list[Finding]:
    stored = in_eval_mode(vae, data)
    if recompute:
        recompute_statistics(vae, data)
    prior = vae.sample_prior(500, torch.Generator().manual_seed(0))
    modes = {"stored_moments": stored, "eval_mode": in_eval_mode(vae, data)}
    if not isinstance(vae.head, GaussianHead):
        modes["training_mode"] = in_training_mode(vae, data, 100)
    thorough: dict[str, Any] = {
        **dataclasses.asdict(importance_sampled_nll(vae, data[:200], 50)),
        **dataclasses.asdict(permuted_rise(vae, data)),
        "hole_share": holes(encode(vae, data), prior).share,
        "hole_examples": len(data),
        "distinct_share": 1.0,
        "modes": {name: dataclasses.asdict(terms) for name, terms in modes.items()},
    }
    figures = evaluate(vae, data).to_dict()
    return diagnose(
        Patient(
            evaluation={"test": figures, "training": figures},
            thorough=thorough,
            modality=modality,
            fixed_floor=[floor] * vae.latent_dimensions,
            unit_moments=floor > 0,
        )
    )


def names(findings: list[Finding]) -> list[str]:
    return [finding.name for finding in findings]


def value(finding: Finding, figure: str) -> float:
    (found,) = (each.value for each in finding.evidence if each.figure == figure)
    return found


def test_a_healthy_model_is_healthy() -> None:
    findings = examined(model(gaussian(2, slope=0.32, std=0.22), reads=3), examples())
    assert names(findings) == ["Code in use"]
    assert value(findings[0], "permuted_rise") > 5


def test_collapsed_text_is_collapsed() -> None:
    findings = examined(model(gaussian(8, slope=0, std=1), reads=0), examples(), "text")
    assert findings[0].name == "Collapsed"
    assert "the decoder ignores it" in findings[0].claim
    assert value(findings[0], "rate") == pytest.approx(0, abs=1e-6)
    assert value(findings[0], "permuted_rise") == 0
    assert "dropout" in findings[0].advice
    assert "Code in use" not in names(findings)


def test_partly_collapsed_pictures_are_partly_collapsed() -> None:
    head = gaussian(6, slope=0.32, std=0.22)
    with torch.no_grad():
        head.mean.weight[2:] = 0
        head.log_variance.bias[2:] = 0
    decoder = 3 * torch.eye(PIXELS, 6)
    decoder[:, 2:] = 0
    findings = examined(VAE(Flat(), head, LinearDecoder(decoder)).eval(), examples())
    assert findings[0].name == "Partly collapsed"
    assert findings[0].claim.startswith("4 of 6 dimensions carry nothing")
    assert "Collapsed" not in names(findings)


def test_a_code_that_nobody_reads_is_not_used_however_large_the_kl() -> None:
    findings = examined(model(gaussian(2, slope=0.32, std=0.22), reads=0), examples())
    assert findings[0].name == "Code not used"
    assert "the decoder ignores it" in findings[0].claim
    assert value(findings[0], "rate") > 1
    assert value(findings[0], "permuted_rise") == 0


def test_one_posterior_for_all_examples_is_no_information() -> None:
    findings = examined(model(gaussian(2, slope=0, std=0.5, offset=1.0), reads=1), examples())
    assert findings[0].name == "Code not used"
    assert "all examples have the same posterior" in findings[0].claim
    assert value(findings[0], "mutual_information") == pytest.approx(0, abs=1e-6)


def test_clusters_far_apart_leave_holes() -> None:
    findings = examined(model(gaussian(2, slope=0.6, std=0.2), reads=1.6), examples(signs=True))
    assert findings[0].name == "Posterior holes"
    assert value(findings[0], "hole_share") > 0.2


@pytest.fixture
def scaler() -> RootMeanSquareScalerHead:
    torch.manual_seed(0)
    return RootMeanSquareScalerHead(PIXELS, 2, tau=0.5)


def test_a_head_with_exact_moments_keeps_its_floor(scaler: RootMeanSquareScalerHead) -> None:
    findings = examined(model(scaler, reads=1), examples(), floor=0.3466)
    assert "Floor breached" not in names(findings)
    assert "Stale moments" in names(findings)  # fresh ones, never computed


@pytest.mark.parametrize("constant_std", [True, False])
def test_an_eps_beside_the_variance_breaches_the_floor(scaler: RootMeanSquareScalerHead, constant_std: bool) -> None:
    with torch.no_grad():
        scaler.mean.weight.mul_(0.01)  # an encoder that shrank its way under the floor
        if constant_std:
            scaler.std.weight.zero_()
            scaler.scaler.theta.fill_(-20.0)  # type: ignore[operator]  # the std takes all it may
    vae, data = model(scaler, reads=1), examples()
    recompute_statistics(vae, data)
    assert "Floor breached" not in names(examined(vae, data, floor=0.3466))
    scaler.standardise_mean.square += 1e-3
    finding = examined(vae, data, floor=0.3466, recompute=False)[0]
    assert finding.name == "Floor breached"
    assert "eps" in finding.advice
    assert value(finding, "second_moment_per_dimension") < 0.95
    assert ("below the guaranteed KL" in finding.claim) == constant_std


def test_running_statistics_that_lag_behind_are_stale(scaler: RootMeanSquareScalerHead) -> None:
    vae, data = model(scaler, reads=1), examples()
    recompute_statistics(vae, data)
    fresh = examined(vae, data, floor=0.3466)
    assert "Stale moments" not in names(fresh)
    scaler.standardise_mean.square *= 4
    findings = examined(vae, data, floor=0.3466)
    assert "Stale moments" in names(findings)
    stale = next(finding for finding in findings if finding.name == "Stale moments")
    assert value(stale, "modes.stored_moments.rate") < value(stale, "modes.eval_mode.rate")


def patient(test: dict[str, Any], thorough: dict[str, Any] | None = None) -> Patient:
    return Patient(
        evaluation={"test": test, "training": test},
        thorough=thorough,
        modality="text",
        fixed_floor=[0.0] * 4,
        unit_moments=False,
    )


HEALTHY = {"examples": 100, "elbo": -20.0, "rate": 4.0, "kl_per_dimension": [1.0] * 4, "mutual_information": 2.5,
           "mutual_information_examples": 1000, "marginal_kl": 0.5, "active_units": 4,
           "second_moment_per_dimension": [1.0] * 4}  # fmt: skip


def test_without_thorough_figures_the_doctor_says_what_is_not_known() -> None:
    (only,) = diagnose(patient(HEALTHY))
    assert (only.name, only.severity) == ("No illness seen", "note")
    assert value(only, "rate") == 4.0
    assert only.advice.startswith("Evaluate it thoroughly")


def test_without_thorough_figures_an_illness_comes_before_what_is_not_known() -> None:
    assert names(diagnose(patient(HEALTHY | {"rate": 0.01, "kl_per_dimension": [0.0] * 4}))) == [
        "Collapsed",
        "Not known",
    ]


def test_nobody_is_healthy_whose_codes_were_not_permuted() -> None:
    assert names(diagnose(patient(HEALTHY, {"nll": 18.0}))) == ["No illness seen"]


def test_one_test_example_gets_no_verdict() -> None:
    (only,) = diagnose(patient(HEALTHY | {"examples": 1}))
    assert only.claim.startswith("One test example says nothing")


@pytest.mark.parametrize("rate", [None, "4", math.nan, 10**400, True, [4]])
def test_figures_of_a_stranger_that_are_no_numbers_are_no_figures(rate: object) -> None:
    (only,) = diagnose(patient(HEALTHY | {"rate": rate}))
    assert only.name == "Not known"


@pytest.mark.parametrize(
    ("changes", "thorough", "name"),
    [
        ({"mutual_information": math.log(1000) - 0.1}, {}, "Information capped"),
        ({"second_moment_per_dimension": [1.4] * 4}, {}, "q(z) wider"),
        ({"second_moment_per_dimension": [0.5] * 4}, {}, "q(z) narrower"),
        ({}, {"distinct_share": 0.11}, "Same outputs"),
        (
            {},
            {"importance_samples": 100, "nll": 18.0, "effective_samples": 1.3, "nll_by_samples": {"50": 18.9}},
            "NLL still falls",
        ),
    ],
)
def test_lesser_signs_are_noted_beside_the_verdict(
    changes: dict[str, Any], thorough: dict[str, Any], name: str
) -> None:
    used = {"permuted_rise": 5.0, "permuted_rise_standard_error": 0.1}
    findings = diagnose(patient(HEALTHY | changes, used | thorough))
    assert names(findings) == ["Code in use", name]
    assert names(diagnose(patient(HEALTHY, used))) == ["Code in use"]


def test_holes_are_not_claimed_where_the_mixture_is_too_thin_to_tell() -> None:
    thin = {"permuted_rise": 5.0, "hole_share": 0.9, "hole_examples": 20}
    assert "Posterior holes" not in names(diagnose(patient(HEALTHY, thin)))
    assert "Posterior holes" in names(diagnose(patient(HEALTHY, thin | {"hole_examples": 1000})))


def test_a_rise_within_its_noise_is_no_rise() -> None:
    noisy = {"permuted_rise": 0.5, "permuted_rise_standard_error": 0.4}
    assert diagnose(patient(HEALTHY, noisy))[0].name == "Code not used"


def test_each_claim_has_its_numbers_and_each_illness_a_way_on() -> None:
    for findings in (
        examined(model(gaussian(8, slope=0, std=1), reads=0), examples(), "text"),
        examined(model(gaussian(2, slope=0.32, std=0.22), reads=0), examples()),
    ):
        assert all(finding.evidence for finding in findings)
        assert all(finding.advice for finding in findings if finding.severity == "bad")
