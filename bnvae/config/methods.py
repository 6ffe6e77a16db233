"""Named remedies against posterior collapse, each as changes to one base configuration."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, final

from bnvae.config.schema import FIXED_SCALE, SCALED, RunConfig

Section = Literal["model", "training"]
Changes = Mapping[str, Any]


@final
@dataclass(frozen=True, kw_only=True)
class Knob:
    """The setting that moves a method along its rate-distortion curve."""

    section: Section
    field: str
    symbol: str

    def of(self, config: RunConfig) -> float:
        return float(getattr(getattr(config, self.section), self.field))

    def turned(self, config: RunConfig, value: float) -> RunConfig:
        return _changed(config, **{self.section: {self.field: value}})


BETA: Final = Knob(section="training", field="beta", symbol="β")
FREE_BITS: Final = Knob(section="training", field="free_bits_per_dimension", symbol="λ")
FREE_BITS_TOTAL: Final = Knob(section="training", field="free_bits_total", symbol="λ total")
GAMMA: Final = Knob(section="model", field="gamma", symbol="γ")
TAU: Final = Knob(section="model", field="tau", symbol="τ")

PLAIN_MODEL: Final[Changes] = {"head": "gaussian", "amortised": False}
PLAIN_TRAINING: Final[Changes] = {
    "beta": 1.0,
    "kl_schedule": "constant",
    "free_bits_per_dimension": 0.0,
    "free_bits_total": 0.0,
}
"""every setting by which one of the methods differs from the plain VAE is put back to it before its own changes"""


@final
@dataclass(frozen=True, kw_only=True)
class Method:
    """One remedy: what it changes of a plain VAE, and how much of it can be had."""

    name: str
    """as the command line and a run's folder call it"""
    title: str
    description: str
    source: str
    knob: Knob
    ladder: tuple[float, ...]
    """strengths that span its rate-distortion curve"""
    model: Changes = dataclasses.field(default_factory=dict)
    training: Changes = dataclasses.field(default_factory=dict)
    schedule: Callable[[float], float] | None = None
    """the KL weight's warm-up or cycle (epochs) of a training of so many epochs"""


def _warm_up(epochs: float) -> float:
    """Ten epochs, as in Zhu et al. 2020; half of a shorter training, which would else never see the ELBO itself."""
    return min(10.0, epochs / 2)


def _quarter(epochs: float) -> float:
    return epochs / 4


_KINGMA = "Kingma & Welling 2014, arXiv:1312.6114"
_ALEMI = "Higgins et al., ICLR 2017; below 1: Alemi et al., ICML 2018, arXiv:1711.00464"
_BETAS = (0.2, 0.4, 0.7, 1.0)
_SHARES = (0.1, 0.3, 0.5, 0.7)
_SCALES = (0.3, 0.5, 0.7, 1.0)

METHODS: Final[dict[str, Method]] = {
    method.name: method
    for method in (
        Method(
            name="none",
            title="none",
            description="The plain VAE: a Gaussian posterior, and the ELBO as it is.",
            source=_KINGMA,
            knob=BETA,
            ladder=_BETAS,
        ),
        Method(
            name="beta-0.2",
            title="β 0.2",
            description="The rate counts a fifth of what it does in the ELBO.",
            source=_ALEMI,
            knob=BETA,
            ladder=_BETAS,
            training={"beta": 0.2},
        ),
        Method(
            name="beta-0.4",
            title="β 0.4",
            description="The rate counts two fifths of what it does in the ELBO.",
            source=_ALEMI,
            knob=BETA,
            ladder=_BETAS,
            training={"beta": 0.4},
        ),
        Method(
            name="linear",
            title="linear warm-up",
            description="The weight of the rate grows from 0 to 1 over the first ten epochs, or half of fewer than 20.",
            source="Bowman et al., CoNLL 2016, arXiv:1511.06349",
            knob=BETA,
            ladder=_BETAS,
            training={"kl_schedule": "linear"},
            schedule=_warm_up,
        ),
        Method(
            name="cyclical",
            title="cyclical",
            description="Four times over, the weight of the rate grows from 0 to 1 and stays there as long again.",
            source="Fu et al., NAACL 2019, arXiv:1903.10145",
            knob=BETA,
            ladder=_BETAS,
            training={"kl_schedule": "cyclical"},
            schedule=_quarter,
        ),
        Method(
            name="free-bits",
            title="free bits",
            description="The first quarter of a nat of each dimension's rate costs nothing.",
            source="Kingma et al., NeurIPS 2016, arXiv:1606.04934, appendix C.8",
            knob=FREE_BITS,
            ladder=(0.1, 0.25, 0.5, 1.0),
            training={"free_bits_per_dimension": 0.25},
        ),
        Method(
            name="bn-mean",
            title="BN on the mean",
            description="BatchNorm gives each posterior mean the standard deviation gamma over the examples.",
            source="Zhu et al., ACL 2020, arXiv:2004.12585",
            knob=GAMMA,
            ladder=_SCALES,
            model={"head": "bn-mean"},
        ),
        Method(
            name="ln-mean",
            title="LN on the mean",
            description="LayerNorm instead of BatchNorm: a floor under the total KL, yet no pull between examples.",
            source="Su 2020, kexue.fm/archives/7381",
            knob=GAMMA,
            ladder=_SCALES,
            model={"head": "ln-mean"},
        ),
        Method(
            name="bn-scaler",
            title="BN + Scaler",
            description="BatchNorm on mean and standard deviation, and one Scaler that shares a second moment of 1.",
            source="Su 2020, kexue.fm/archives/7381",
            knob=TAU,
            ladder=_SHARES,
            model={"head": "bn-scaler"},
        ),
        Method(
            name="rms-scaler",
            title="RMS + Scaler",
            description="The same Scaler, on a standard deviation that is divided by its root mean square: never zero.",
            source="this project",
            knob=TAU,
            ladder=_SHARES,
            model={"head": "rms-scaler"},
        ),
    )
}
"""Every method by its name, the plain VAE first."""


def configured(base: RunConfig, method: str, strength: float | None = None) -> RunConfig:
    """The base configuration with this method and no other: equal data, network, seed and length of training.

    Without a `strength` that of the method's name, or the base's own gamma or tau.

    Raises:
        ValueError: there is no such method, or the base does not allow it, as a batch of four no BatchNorm.
    """
    chosen = known(method)
    own_schedule = {} if chosen.schedule is None else {"kl_warmup_epochs": chosen.schedule(base.training.epochs)}
    config = _changed(
        base,
        model={**PLAIN_MODEL, **chosen.model},
        training={**PLAIN_TRAINING, **chosen.training, **own_schedule},
    )
    return config if strength is None else chosen.knob.turned(config, strength)


def known(name: str) -> Method:
    """The method of this name.

    Raises:
        ValueError: there is none.
    """
    if name not in METHODS:
        raise ValueError(f"method is {name!r:.80}: choose of {', '.join(METHODS)}.")
    return METHODS[name]


def knob_of(config: RunConfig) -> Knob:
    """What moves a model of this configuration along its rate-distortion curve."""
    if config.model.head in SCALED:
        return TAU
    if config.model.head in FIXED_SCALE:
        return GAMMA
    if config.training.free_bits_per_dimension > 0:
        return FREE_BITS
    return FREE_BITS_TOTAL if config.training.free_bits_total > 0 else BETA


def _changed(config: RunConfig, *, model: Changes | None = None, training: Changes | None = None) -> RunConfig:
    return dataclasses.replace(
        config,
        model=dataclasses.replace(config.model, **(model or {})),
        training=dataclasses.replace(config.training, **(training or {})),
    )
