"""One run's folder: everything needed to show, decode, evaluate and resume it, without its data set."""

import dataclasses
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from filelock import FileLock, Timeout
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from tokenizers import Tokenizer
from torch import Tensor

from bnvae.config import RunConfig
from bnvae.data.dataset import Dataset, ImageShape, TextShape
from bnvae.data.vocabulary_file import tokenizer_from_json, tokenizer_to_json
from bnvae.model import VAE
from bnvae.posterior import Posterior
from bnvae.runs.files import (
    MIB,
    BrokenRunError,
    read_arrays,
    read_bytes,
    read_json,
    write_arrays,
    write_atomic,
    write_json,
)
from bnvae.runs.history import HistoryReader
from bnvae.runs.status import Status

LARGEST_WEIGHTS_BYTES = 4 * 2**30
LARGEST_TOKENIZER_BYTES = 20 * MIB
KEPT_EXAMPLES = 256
KEPT_EXAMPLE_BYTES = MIB
ENCODED_EXAMPLES = 10_000


@final
@dataclass(frozen=True, kw_only=True)
class DataCard:
    """What a run keeps of its data set."""

    shape: ImageShape | TextShape
    training_examples: int
    test_examples: int
    label_names: tuple[str, ...]
    digest: str

    @classmethod
    def of(cls, dataset: Dataset) -> "DataCard":
        return cls(
            shape=dataset.shape,
            training_examples=len(dataset.training),
            test_examples=len(dataset.test),
            label_names=dataset.label_names,
            digest=dataset.digest,
        )

    @property
    def modality(self) -> str:
        return "text" if isinstance(self.shape, TextShape) else "image"

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> "DataCard":
        sizes = stored["shape"]
        if not all(isinstance(size, int) and 1 <= size <= 1_000_000 for size in sizes.values()):
            raise ValueError(f"shape is {sizes!r}: expected positive whole numbers.")
        shape: ImageShape | TextShape = ImageShape(**sizes) if "channels" in sizes else TextShape(**sizes)
        return cls(
            shape=shape,
            training_examples=int(stored["training_examples"]),
            test_examples=int(stored["test_examples"]),
            label_names=tuple(map(str, stored["label_names"])),
            digest=str(stored["digest"]),
        )


@final
@dataclass(frozen=True, kw_only=True)
class Examples:
    """A few test examples kept with the run."""

    examples: Tensor
    """uint8 (N, C, H, W) pixels or int32 (N, L) tokens"""
    labels: Tensor


@final
@dataclass(frozen=True, kw_only=True)
class Preview:
    """What the model made at its last evaluation: pixels or tokens, as in `Examples`."""

    step: int
    originals: Tensor
    reconstructions: Tensor
    samples: Tensor


@final
class Run:
    """A folder under the runs' root. Properties read the disk each time; a cache is the caller's business."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def id(self) -> str:
        return self.folder.name

    def __repr__(self) -> str:
        return f"Run({self.id!r})"

    # -- what it is ---------------------------------------------------------------------------------------------------

    @property
    def config(self) -> RunConfig:
        """Raises BrokenRunError if config.json is missing or refused."""
        content = read_bytes(self.folder / "config.json", MIB)
        try:
            return RunConfig.from_json(content.decode())
        except (ValueError, UnicodeDecodeError) as error:
            raise BrokenRunError(f"{self.id}/config.json: {error}") from None

    @property
    def card(self) -> DataCard:
        """Raises BrokenRunError if data.json is missing (no training has begun) or damaged."""
        stored = read_json(self.folder / "data.json")
        try:
            return DataCard.from_dict(stored)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BrokenRunError(f"{self.id}/data.json is not a data card: {error}") from None

    @property
    def tokenizer(self) -> Tokenizer | None:
        """The vocabulary of a text run; None for images.

        Raises:
            BrokenRunError: tokenizer.json is damaged, or of a kind this project does not write.
        """
        path = self.folder / "tokenizer.json"
        if not path.exists():
            return None
        try:
            return tokenizer_from_json(read_bytes(path, LARGEST_TOKENIZER_BYTES).decode())
        except (ValueError, UnicodeDecodeError) as error:
            raise BrokenRunError(f"{self.id}/tokenizer.json: {error}") from None

    def write_data(self, dataset: Dataset) -> None:
        """Keep what later work needs of the data set: card, vocabulary, a few test examples."""
        if dataset.tokenizer is not None:
            write_atomic(self.folder / "tokenizer.json", tokenizer_to_json(dataset.tokenizer).encode())
        bytes_each = dataset.test.examples[0].nbytes
        count = max(16, min(KEPT_EXAMPLES, KEPT_EXAMPLE_BYTES // bytes_each))
        write_arrays(
            self.folder / "examples.npz",
            {"examples": dataset.test.examples[:count].numpy(), "labels": dataset.test.labels[:count].numpy()},
        )
        write_json(self.folder / "data.json", dataclasses.asdict(DataCard.of(dataset)))

    @property
    def examples(self) -> Examples:
        stored = read_arrays(self.folder / "examples.npz", ("examples", "labels"))
        return Examples(examples=torch.from_numpy(stored["examples"]), labels=torch.from_numpy(stored["labels"]))

    # -- what it is doing ---------------------------------------------------------------------------------------------

    @property
    def status(self) -> Status:
        """The worker's last word, corrected where the worker no longer lives."""
        try:
            status = Status.from_dict(read_json(self.folder / "status.json"))
        except (ValueError, TypeError) as error:
            return Status(state="broken", message=str(error))
        if status.state == "training" and not self.is_held:
            note = f"Interrupted at step {status.step}: its worker ended without a word."
            return status.replace(state="interrupted", message=note)
        return status

    def write_status(self, status: Status) -> None:
        write_json(self.folder / "status.json", status.to_dict())

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Be the run's only worker. The operating system ends the lease with the process, however it dies.

        Raises:
            BlockingIOError: another process trains this run.
        """
        lock = FileLock(self.folder / "lease.lock")
        try:
            # A page that asks `is_held` takes the lease for a moment.
            lock.acquire(timeout=2, poll_interval=0.02)
        except Timeout:
            raise BlockingIOError(f"run {self.id!r} is being trained by another process: stop that one first.") from None
        try:
            yield
        finally:
            lock.release()

    @property
    def is_held(self) -> bool:
        """Whether a living process trains this run."""
        if not (self.folder / "lease.lock").exists():
            return False
        lock = FileLock(self.folder / "lease.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        lock.release()
        return False

    def request_stop(self) -> None:
        """Ask the worker to save and end; it looks several times a second."""
        write_json(self.folder / "control.json", {"command": "stop"})

    def take_stop_request(self) -> bool:
        """Whether a stop was asked for; the request is taken back by asking."""
        path = self.folder / "control.json"
        if not path.exists():
            return False
        path.unlink(missing_ok=True)
        return True

    @property
    def log_tail(self) -> str:
        """The worker's last words (up to 4,000 characters)."""
        try:
            with (self.folder / "worker.log").open("rb") as log:
                log.seek(0, 2)
                log.seek(max(0, log.tell() - 4000))
                return log.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def history(self) -> HistoryReader:
        """Everything recorded so far; its `read` takes in what came since."""
        reader = HistoryReader(self.folder / "history.jsonl")
        try:
            reader.read()
        except ValueError as error:
            raise BrokenRunError(f"{self.id}/history.jsonl: {error}") from None
        return reader

    # -- what it has learned ------------------------------------------------------------------------------------------

    @property
    def has_weights(self) -> bool:
        return (self.folder / "weights.safetensors").is_file()

    def write_weights(self, model: VAE) -> None:
        """Publish the model as it is now; call it while the head holds the training set's moments."""
        tensors = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
        write_atomic(self.folder / "weights.safetensors", save_tensors(tensors))

    @property
    def weights_digest(self) -> str:
        """sha256 of the weights, shortened: changes whenever the model does."""
        content = read_bytes(self.folder / "weights.safetensors", LARGEST_WEIGHTS_BYTES)
        return hashlib.sha256(content).hexdigest()[:16]

    def load_model(self) -> VAE:
        """The published model, on the CPU, in eval mode, without gradients.

        Raises:
            BrokenRunError: weights are missing, damaged, or don't fit the configuration.
        """
        config, card = self.config, self.card
        if config.data.modality != card.modality:
            raise BrokenRunError(f"{self.id}/data.json is of {card.modality} data, config.json of {config.data.modality}.")
        content = read_bytes(self.folder / "weights.safetensors", LARGEST_WEIGHTS_BYTES)
        try:
            tensors = load_tensors(content)
        except SafetensorError as error:
            raise BrokenRunError(f"{self.id}/weights.safetensors is damaged or of another format ({error}).") from None
        model = VAE.build(config.network, config.model, card.shape, seed=0)
        if misfit := _misfit(model.state_dict(), tensors):
            raise BrokenRunError(f"{self.id}/weights.safetensors does not fit config.json: {misfit}.")
        model.load_state_dict(tensors)
        return model.eval().requires_grad_(False)

    def write_posterior(self, posterior: Posterior, labels: Tensor) -> None:
        """Keep the encodings of the first test examples; fp16, since they are drawn and not added up."""
        count = ENCODED_EXAMPLES
        write_arrays(
            self.folder / "encodings.npz",
            {
                "mean": posterior.mean[:count].numpy().astype(np.float16),
                "std": posterior.std[:count].numpy().astype(np.float16),
                "labels": labels[:count].numpy(),
            },
        )

    def encodings(self) -> tuple[Posterior, Float[Tensor, "N"]]:
        """Posteriors and labels of the test examples (up to 10,000)."""
        stored = read_arrays(self.folder / "encodings.npz", ("mean", "std", "labels"))
        mean, std = (torch.from_numpy(stored[name].astype(np.float32)) for name in ("mean", "std"))
        if mean.shape != std.shape or mean.dim() != 2 or len(mean) != len(stored["labels"]):
            raise BrokenRunError(f"{self.id}/encodings.npz: mean {tuple(mean.shape)} and std {tuple(std.shape)} differ.")
        return Posterior(mean, std), torch.from_numpy(stored["labels"])

    def write_preview(self, preview: Preview) -> None:
        write_arrays(
            self.folder / "preview.npz",
            {
                "step": np.array(preview.step),
                "originals": preview.originals.numpy(),
                "reconstructions": preview.reconstructions.numpy(),
                "samples": preview.samples.numpy(),
            },
        )

    def preview(self) -> Preview | None:
        """What the model made at its last evaluation; None before the first."""
        path = self.folder / "preview.npz"
        if not path.exists():
            return None
        stored = read_arrays(path, ("step", "originals", "reconstructions", "samples"))
        step = int(stored.pop("step"))
        return Preview(step=step, **{name: torch.from_numpy(value) for name, value in stored.items()})

    def write_evaluation(self, evaluation: dict[str, Any]) -> None:
        write_json(self.folder / "evaluation.json", evaluation)

    def evaluation(self) -> dict[str, Any] | None:
        """The figures of the last full evaluation, as `python -m bnvae evaluate --json` prints them; None if none."""
        path = self.folder / "evaluation.json"
        return read_json(path) if path.exists() else None


def _misfit(wanted: dict[str, Tensor], given: dict[str, Tensor]) -> str:
    if missing := [name for name in wanted if name not in given]:
        return f"{missing[0]!r} is missing" + (f" and {len(missing) - 1} more" if len(missing) > 1 else "")
    if foreign := [name for name in given if name not in wanted]:
        return f"{foreign[0]!r} is unknown" + (f" and {len(foreign) - 1} more" if len(foreign) > 1 else "")
    for name, value in wanted.items():
        if value.shape != given[name].shape:
            return f"{name!r} has shape {tuple(given[name].shape)} instead of {tuple(value.shape)}"
        if value.dtype != given[name].dtype:
            return f"{name!r} is {given[name].dtype} instead of {value.dtype}"
        if not torch.isfinite(given[name]).all():
            return f"{name!r} holds numbers that are not finite"
    return ""
