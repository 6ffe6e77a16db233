"""vae.json: what a VAE that was trained elsewhere is made of, in the names of its own weights."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self, final, get_args

from bnvae.config.schema import OLDER_FILES, DataConfig
from bnvae.data.dataset import ImageShape

FORMAT = "bnvae-vae-1"
MOST_LAYERS = 64
"""in each list"""

Layer = str | dict[str, Any]
SpreadName = Literal["log_variance", "std", "mean_and_log_variance", "mean_and_std"]
"""the last two: one list whose first half is the mean"""
LikelihoodName = Literal["bernoulli", "gaussian"]

REQUIRED = ("format", "data", "image", "latent_dimensions", "encoder", "decoder", "likelihood")
OPTIONAL = ("pixels", "unused", "mean", *get_args(SpreadName))
POSTERIORS = (
    'give "mean" and "log_variance", "mean" and "std", or one of "mean_and_log_variance" and "mean_and_std", '
    "whose first half is the mean."
)
LIKELIHOODS = (
    'give {"bernoulli": "logits"}, {"bernoulli": "probabilities"}, {"gaussian": 0.1} for a fixed scale, or '
    '{"gaussian": "name"} for a tensor with the ln of the scale.'
)


@final
@dataclass(frozen=True, kw_only=True)
class Description:
    """One VAE of pictures."""

    data: DataConfig
    """what its test and training examples are; none are held back for validation"""
    image: ImageShape
    pixels: tuple[float, float]
    """what black and white are to the network: (0, 1) or (-1, 1)"""
    latent_dimensions: int
    encoder: tuple[Layer, ...]
    """from pixels to features"""
    mean: tuple[Layer, ...]
    """from features to the posterior mean; empty where one list makes both"""
    spread: tuple[Layer, ...]
    """from features to what `spread_is`"""
    spread_is: SpreadName
    decoder: tuple[Layer, ...]
    """from z to the likelihood's parameter for each pixel"""
    likelihood: LikelihoodName
    parameter: str | float
    """bernoulli: "logits" or "probabilities"; gaussian: the scale, or the name of a tensor with its ln"""
    unused: tuple[str, ...]
    """beginnings of names of tensors that are left out on purpose"""

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The description in a text.

        Raises:
            ValueError: it is not JSON, lacks a field, has an unknown one, or holds a refused value.
        """
        try:
            stored = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"the description is not JSON: {error}.") from None
        if not isinstance(stored, dict):
            raise ValueError('the description is not a JSON object: begin with {"format": "bnvae-vae-1", ...}.')
        if stored.get("format") != FORMAT:
            raise ValueError(f"format is {stored.get('format')!r:.80}: this version reads {FORMAT!r}.")
        if unknown := [name for name in stored if name not in (*REQUIRED, *OPTIONAL)]:
            raise ValueError(
                f"the description has an unknown field {unknown[0]!r:.80}: known are {', '.join(REQUIRED + OPTIONAL)}."
            )
        if missing := [name for name in REQUIRED if name not in stored]:
            raise ValueError(f"the description has no {missing[0]!r}: it needs {', '.join(REQUIRED)}.")
        spread_is = _spread(stored)
        likelihood, parameter = _likelihood(stored["likelihood"])
        return cls(
            data=_data(stored["data"]),
            image=_image(stored["image"]),
            pixels=_pixels(stored.get("pixels", [0, 1])),
            latent_dimensions=_whole("latent_dimensions", stored["latent_dimensions"], 512),
            encoder=_layers("encoder", stored["encoder"]),
            mean=_layers("mean", stored["mean"]) if "mean" in stored else (),
            spread=_layers(spread_is, stored[spread_is]),
            spread_is=spread_is,
            decoder=_layers("decoder", stored["decoder"]),
            likelihood=likelihood,
            parameter=parameter,
            unused=_names("unused", stored.get("unused", [])),
        )


def _spread(stored: Mapping[str, Any]) -> SpreadName:
    given: list[SpreadName] = [name for name in get_args(SpreadName) if name in stored]
    if len(given) != 1 or given[0].startswith("mean_and") == ("mean" in stored):
        named = ", ".join(name for name in ("mean", *given) if name in stored) or "nothing"
        raise ValueError(f"the posterior is described by {named}: {POSTERIORS}")
    return given[0]


def _likelihood(given: object) -> tuple[LikelihoodName, str | float]:
    refused = ValueError(f"likelihood is {given!r:.80}: {LIKELIHOODS}")
    if not isinstance(given, dict) or len(given) != 1:
        raise refused
    ((name, parameter),) = given.items()
    if name == "bernoulli" and parameter in ("logits", "probabilities"):
        return "bernoulli", parameter
    is_scale = isinstance(parameter, int | float) and not isinstance(parameter, bool) and 1e-4 <= parameter <= 1e4
    if name == "gaussian" and (is_scale or (isinstance(parameter, str) and parameter)):
        return "gaussian", parameter
    raise refused


def _data(given: object) -> DataConfig:
    known = {spec.name for spec in dataclasses.fields(DataConfig)}
    if not isinstance(given, dict) or "name" not in given or not set(given) <= known:
        raise ValueError(
            f'data is {given!r:.80}: give {{"name": ...}} and whatever other settings of data the model was trained '
            f"with, of {', '.join(sorted(known - {'name'}))}."
        )
    try:
        # A model trained elsewhere has seen what would be held back for validation here.
        config = DataConfig(**OLDER_FILES["data"] | given)
    except ValueError as error:
        raise ValueError(f"data of the description: {error}") from None
    if config.modality != "image":
        raise ValueError(f"data is {config.name!r}: only models of pictures can be described; bring codes as .npz.")
    return config


def _image(given: object) -> ImageShape:
    if not isinstance(given, list) or len(given) != 3:
        raise ValueError(f"image is {given!r:.80}: give [channels, height, width].")
    channels, height, width = (_whole("image", size, 128) for size in given)
    if channels not in (1, 3):
        raise ValueError(f"image has {channels} channels: give 1 for grey or 3 for colour, [channels, height, width].")
    return ImageShape(channels=channels, height=height, width=width)


def _pixels(given: object) -> tuple[float, float]:
    if given not in ([0, 1], [-1, 1]):
        raise ValueError(f"pixels is {given!r:.80}: give [0, 1] or [-1, 1], what black and white are to the network.")
    return (0.0, 1.0) if given == [0, 1] else (-1.0, 1.0)


def _whole(name: str, given: object, most: int) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= most:
        raise ValueError(f"{name} is {given!r:.80}: give a whole number from 1 to {most}.")
    return given


def _layers(name: str, given: object) -> tuple[Layer, ...]:
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_LAYERS:
        raise ValueError(f"{name} is {given!r:.80}: give a list of 1 to {MOST_LAYERS} layers.")
    return tuple(given)


def _names(name: str, given: object) -> tuple[str, ...]:
    if not isinstance(given, list) or not all(isinstance(one, str) and one for one in given):
        raise ValueError(f"{name} is {given!r:.80}: give a list of the beginnings of names.")
    return tuple(given)


def listed(names: Sequence[str], most: int = 4) -> str:
    """A few of the names in quotes, and how many more there are."""
    words = ", ".join(f"'{name:.80}'" for name in names[:most])
    return words + (f" and {len(names) - most} more" if len(names) > most else "")
