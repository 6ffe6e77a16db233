"""Everything that decides what a run computes: frozen dataclasses, their limits, and their JSON form."""

import dataclasses
import json
import sys
from dataclasses import dataclass, field
from typing import Any, Literal, Self, get_args, get_type_hints

DataName = Literal[
    "storybook", "digits", "shapes", "mnist", "fashion-mnist", "kmnist", "cifar10", "celeba", "images", "text"
]
TokenizerName = Literal["words", "characters", "bpe"]
NetworkName = Literal["auto", "mlp", "conv", "lstm", "transformer"]
PoolingName = Literal["last", "mean", "max", "attention"]
HeadName = Literal["gaussian", "bn-mean", "bn-scaler", "rms-scaler", "ln-mean"]
KlScheduleName = Literal["constant", "linear", "cyclical"]
OptimiserName = Literal["adam", "sgd"]
DeviceName = Literal["auto", "cpu", "cuda", "mps"]
PrecisionName = Literal["auto", "fp32", "bf16"]
SubsetName = Literal["random", "first"]
SourceName = Literal["training", "weights", "arrays"]

TEXT_DATA: tuple[DataName, ...] = ("storybook", "text")
OWN_DATA: tuple[DataName, ...] = ("images", "text")
NETWORKS_OF: dict[str, tuple[NetworkName, ...]] = {"image": ("mlp", "conv"), "text": ("lstm", "transformer")}
BATCH_NORMALISED: tuple[HeadName, ...] = ("bn-mean", "bn-scaler", "rms-scaler")
"""heads that give each posterior mean its variance, so that all units are active whatever was learned"""
SCALED: tuple[HeadName, ...] = ("bn-scaler", "rms-scaler")
"""heads with a Scaler, and so with a tau"""
FIXED_SCALE: tuple[HeadName, ...] = ("bn-mean", "ln-mean")
"""heads whose posterior mean has the fixed standard deviation gamma"""

UNREAD_BY: dict[NetworkName, tuple[str, ...]] = {
    "mlp": ("bidirectional", "pooling"),
    "conv": ("bidirectional", "pooling"),
    "transformer": ("bidirectional",),
}
"""Fields of a text encoder that a network does not have: a run keeps their defaults, whatever was given."""

SMALLEST_BATCH = 8
"""Below this many examples the moments of a batch say nothing about those of the data."""


OLDER_FILES: dict[str, dict[str, Any]] = {
    "data": {"subset": "first", "validation_share": 0.0},
    "model": {"bidirectional": False, "pooling": "last"},
    "training": {},
}
"""Values of fields that files written by earlier versions lack, where the default of today would change such a run."""
OLDER_TRANSFORMERS: dict[str, Any] = {"pooling": "mean"}
"""What `OLDER_FILES` has otherwise for a model with this network."""


def _refuse(name: str, value: object, remedy: str) -> None:
    raise ValueError(f"{name} is {value!r:.200}: {remedy}")


def _check_types(config: object) -> None:
    hints = get_type_hints(type(config))
    for spec in dataclasses.fields(config):  # type: ignore[arg-type]
        value, wanted = getattr(config, spec.name), hints[spec.name]
        if choices := get_args(wanted):
            if value not in choices:
                _refuse(spec.name, value, f"choose one of {', '.join(map(str, choices))}.")
        elif wanted is float and (isinstance(value, bool) or not isinstance(value, (int, float))):
            _refuse(spec.name, value, "give a number.")
        elif wanted is float and not abs(value) <= sys.float_info.max:  # also a whole number too large for a float
            _refuse(spec.name, value, "give a finite number.")
        elif wanted is int and (isinstance(value, bool) or not isinstance(value, int)):
            _refuse(spec.name, value, "give a whole number.")
        elif wanted in (str, bool) and not isinstance(value, wanted):
            _refuse(spec.name, value, f"give a {'text' if wanted is str else 'true or false'}.")


def _check_ranges(config: object, ranges: dict[str, tuple[float, float]]) -> None:
    for name, (lowest, highest) in ranges.items():
        value = getattr(config, name)
        if not lowest <= value <= highest:
            _refuse(name, value, f"give a value from {lowest:g} to {highest:g}.")


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Which examples a run sees."""

    name: DataName = "storybook"
    """data set; `images` and `text` read your own from `path`"""
    path: str = ""
    """your own data: a folder or .zip of pictures, a .txt, .csv, .tsv or .jsonl file, or an https address of one; files
    or sub-folders named train, valid (val, dev) and test in a folder or .zip are its splits"""
    validation_path: str = ""
    """your own data: validation examples, as `path`; empty: those in `path` named valid, val or dev, else a share"""
    test_path: str = ""
    """your own data: test examples, as `path`; empty: those in `path` named test, else a share"""
    column: str = "text"
    """column of a .csv, .tsv or .jsonl that holds the sentences; a number, from 1, in a table without a header"""
    label_column: str = ""
    """column of a .csv, .tsv or .jsonl that holds a label, by name or number; empty: no labels, but those of a .tsv
    without a header whose rows are a label and a sentence"""
    tokenizer: TokenizerName = "words"
    """how sentences are split into tokens"""
    vocabulary_size: int = 10_000
    """most different tokens kept, four special ones among them; rarer ones become "unknown" (tokens)"""
    max_tokens: int = 64
    """longer sentences are cut (tokens)"""
    image_size: int = 0
    """side to which pictures are scaled (pixels); 0: the data set's own, or 64 for your own pictures"""
    training_examples: int = 0
    """use only so many training examples (examples); 0: all"""
    subset: SubsetName = "random"
    """which ones those are: a random subset that the data seed decides, or the first of a published file"""
    test_share: float = 0.1
    """share of your own data held back for testing, where it has no test file (fraction of the examples)"""
    validation_share: float = 0.1
    """share of your own data held back for the figures while training, where it has no validation file (fraction of the
    examples); made-up and published data have their own; 0: none, and those figures are of test examples"""
    binarise: bool = False
    """draw each grey pixel once as black or white (static binarisation), so that the Bernoulli likelihood is exact"""
    seed: int = 0
    """decides made-up examples, the split of your own data and the binarisation, apart from the training seed"""

    def __post_init__(self) -> None:
        _check_types(self)
        _check_ranges(
            self,
            {
                "vocabulary_size": (8, 100_000),
                "max_tokens": (4, 512),
                "training_examples": (0, 2**31 - 1),
                "test_share": (0.01, 0.5),
                "validation_share": (0, 0.5),
                "seed": (0, 2**31 - 1),
            },
        )
        if self.test_share + self.validation_share >= 1:
            _refuse(
                "validation_share",
                self.validation_share,
                f"with test_share {self.test_share:g} nothing is left to train on; give less than "
                f"{1 - self.test_share:g}.",
            )
        if self.image_size and not 8 <= self.image_size <= 128:
            _refuse("image_size", self.image_size, "give 8 to 128 pixels, or 0 for the data set's own size.")
        if self.name in OWN_DATA and not self.path:
            _refuse("path", self.path, f"data {self.name!r} is your own: name its folder, file or https address.")
        if self.name not in OWN_DATA and self.path:
            _refuse("path", self.path, f"only data 'images' and 'text' take a path; {self.name!r} does not.")
        for name in ("validation_path", "test_path"):
            if (path := getattr(self, name)) and self.name not in OWN_DATA:
                _refuse(name, path, f"only data 'images' and 'text' take it; {self.name!r} does not.")

    @property
    def modality(self) -> Literal["image", "text"]:
        return "text" if self.name in TEXT_DATA else "image"


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The network and its posterior head."""

    network: NetworkName = "auto"
    """`mlp` or `conv` for images, `lstm` or `transformer` for text; auto: conv for images, lstm for text"""
    head: HeadName = "rms-scaler"
    """how features become a posterior; `gaussian` is the plain VAE"""
    latent_dimensions: int = 16
    """D, coordinates of the latent code (dimensions)"""
    tau: float = 0.5
    """Scaler heads: share of the second moment that the posterior mean always keeps (fraction, 0 <= tau < 1)"""
    amortised: bool = False
    """Scaler heads: one model for every tau up to tau_max, drawn for each example; tau says where figures are taken"""
    tau_max: float = 0.95
    """amortised: largest tau that is drawn (fraction, above 0, below 1)"""
    gamma: float = 0.5
    """`bn-mean` and `ln-mean`: fixed standard deviation of the posterior mean (prior standard deviations)"""
    hidden_units: int = 128
    """width of hidden layers, of the LSTM, or of the transformer (units)"""
    embedding_units: int = 64
    """lstm: width of a token's embedding (units)"""
    bidirectional: bool = True
    """lstm: the encoder reads each sentence from both ends, with as many units for each direction (true or false)"""
    pooling: PoolingName = "mean"
    """text: how the encoder's states at a sentence's tokens become its features; padding never counts"""
    layers: int = 1
    """mlp and transformer: hidden layers each in encoder and decoder (layers)"""
    attention_heads: int = 4
    """transformer: attention heads; must divide hidden_units (heads)"""
    conv_channels: int = 16
    """conv: channels after the first layer; doubled at each halving of the picture, up to 256 (channels)"""
    dropout: float = 0.5
    """text: share of embeddings and of decoder outputs dropped while training (fraction)"""

    def __post_init__(self) -> None:
        _check_types(self)
        if not 0 <= self.tau < 1:
            _refuse("tau", self.tau, "give 0 <= tau < 1; at 1 every posterior would have no spread left.")
        _check_ranges(
            self,
            {
                "latent_dimensions": (1, 512),
                "tau_max": (0.01, 0.99),
                "gamma": (0.01, 10),
                "hidden_units": (4, 4096),
                "embedding_units": (4, 4096),
                "layers": (1, 24),
                "attention_heads": (1, 64),
                "conv_channels": (4, 256),
                "dropout": (0, 0.95),
            },
        )
        if self.amortised and self.head not in SCALED:
            _refuse("amortised", self.amortised, f"head {self.head!r} has no tau; choose {' or '.join(SCALED)}.")
        if self.amortised and self.tau > self.tau_max:
            _refuse("tau", self.tau, f"nothing above tau_max is trained; give at most {self.tau_max:g}.")
        if self.network == "transformer" and self.hidden_units % self.attention_heads:
            _refuse("attention_heads", self.attention_heads, f"it must divide hidden_units, {self.hidden_units}.")
        if self.head == "ln-mean" and self.latent_dimensions < 2:
            _refuse("latent_dimensions", self.latent_dimensions, "ln-mean normalises over dimensions: give at least 2.")

    @property
    def amortised_to(self) -> float | None:
        """The largest tau that is drawn; None for a model of one tau, or of none."""
        return self.tau_max if self.amortised else None


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How the loss is minimised."""

    epochs: int = 10
    """passes over the training examples (epochs)"""
    batch_size: int = 64
    """examples a step (examples)"""
    optimiser: OptimiserName = "adam"
    """`adam`, or `sgd` as in Zhu et al. 2020"""
    learning_rate: float = 1e-3
    """step length (parameter units a step)"""
    gradient_clip: float = 0.0
    """largest norm of the gradient; 0: 5 for text, and no limit for pictures (loss units per parameter unit)"""
    beta: float = 1.0
    """weight of the rate in the loss (1 is the ELBO)"""
    kl_schedule: KlScheduleName = "constant"
    """how the weight of the rate grows to beta"""
    kl_warmup_epochs: float = 10.0
    """linear: epochs from 0 to beta; cyclical: length of one cycle, its first half rising (epochs)"""
    free_bits_per_dimension: float = 0.0
    """a dimension's rate below this costs nothing more (nats)"""
    free_bits_total: float = 0.0
    """a total rate below this costs nothing more (nats)"""
    seed: int = 0
    """decides initial weights, order of the examples and all noise"""
    device: DeviceName = "auto"
    """where to train; auto: cuda, else mps, else cpu"""
    precision: PrecisionName = "auto"
    """bf16 matrix products where the device has units for them (auto), always, or never; the KL stays fp32"""
    threads: int = 0
    """processor threads (threads); 0: as many as torch chooses"""
    record_every: int = 0
    """steps averaged into one line of the history (steps); 0: 20 for `mlp`, whose steps are short, else 5"""

    def __post_init__(self) -> None:
        _check_types(self)
        _check_ranges(
            self,
            {
                "epochs": (1, 100_000),
                "batch_size": (1, 65_536),
                "learning_rate": (1e-8, 100),
                "gradient_clip": (0, 1e6),
                "beta": (0, 1000),
                "kl_warmup_epochs": (0.01, 100_000),
                "free_bits_per_dimension": (0, 100),
                "free_bits_total": (0, 10_000),
                "seed": (0, 2**31 - 1),
                "threads": (0, 1024),
                "record_every": (0, 10_000),
            },
        )


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """One run: data, model and training. Equal configurations on equal machines give equal runs."""

    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    source: SourceName = "training"
    """trained here, or brought in: `weights` of a model as description.json describes it, `arrays` of its posteriors"""

    def __post_init__(self) -> None:
        if self.source not in get_args(SourceName):
            _refuse("source", self.source, f"choose one of {', '.join(get_args(SourceName))}.")
        allowed = NETWORKS_OF[self.data.modality]
        if self.model.network not in ("auto", *allowed):
            _refuse("network", self.model.network, f"data {self.data.name!r} needs one of {', '.join(allowed)}.")
        if self.model.head in BATCH_NORMALISED and self.training.batch_size < SMALLEST_BATCH:
            _refuse(
                "batch_size",
                self.training.batch_size,
                f"head {self.model.head!r} normalises over the batch, and fewer than {SMALLEST_BATCH} examples have no "
                f"usable moments: give {SMALLEST_BATCH} or more, or head 'gaussian'.",
            )
        unread = {name: getattr(ModelConfig, name) for name in UNREAD_BY.get(self.network, ())}
        object.__setattr__(self, "model", dataclasses.replace(self.model, **unread))

    @property
    def network(self) -> NetworkName:
        """The network's name with `auto` resolved."""
        if self.model.network != "auto":
            return self.model.network
        return "lstm" if self.data.modality == "text" else "conv"

    @property
    def is_brought(self) -> bool:
        """Whether it was trained elsewhere: then `model` has its dimensions, `training` says nothing."""
        return self.source != "training"

    @property
    def record_every(self) -> int:
        """Steps a record, with 0 resolved: a record at most every 0.3 s or so, and below 1 % of the time."""
        return self.training.record_every or (20 if self.network == "mlp" else 5)

    def to_json(self) -> str:
        stored = dataclasses.asdict(self)
        if not self.is_brought:
            del stored["source"]  # the usual case is not worth a line
        return json.dumps(stored, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The configuration in a text written by `to_json`; a field left out is as it was before there was one.

        Raises:
            ValueError: the text is not JSON, or holds an unknown field or a refused value.
        """
        try:
            stored = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"the configuration is not JSON: {error}") from None
        sections = {"data": DataConfig, "model": ModelConfig, "training": TrainingConfig}
        _check_keys("configuration", stored, (*sections, "source"))
        parts: dict[str, Any] = {}
        for name, section in sections.items():
            given = stored.get(name, {})
            _check_keys(name, given, {spec.name for spec in dataclasses.fields(section)})
            parts[name] = section(**_older(name, given) | given)
        return cls(**parts, source=stored.get("source", "training"))


def _older(section: str, given: dict[str, Any]) -> dict[str, Any]:
    older = dict(OLDER_FILES[section])
    if section == "data" and not given.get("training_examples"):
        older.pop("subset", None)  # all examples are the same in any version
    if section == "model" and given.get("network") == "transformer":
        older |= OLDER_TRANSFORMERS
    return older


def _check_keys(where: str, given: object, known: Any) -> None:
    if not isinstance(given, dict):
        _refuse(where, given, "expected a JSON object.")
    assert isinstance(given, dict)
    for key in given:
        if key not in known:
            raise ValueError(f"{where} has an unknown field {key!r}: known are {', '.join(known)}.")
