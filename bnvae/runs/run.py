"""One run's folder: everything needed to show, decode, evaluate and resume it, without its data set."""

import dataclasses
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, final

from jaxtyping import Float, Int64
from tokenizers import Tokenizer
from torch import Tensor

from bnvae.config.scheduled_changes import steered
from bnvae.config.schema import PrecisionName, RunConfig
from bnvae.data.dataset import Dataset
from bnvae.data.datasets.source_entropy import source_entropy
from bnvae.data.text.vocabulary_file import tokenizer_from_json, tokenizer_to_json
from bnvae.nn.posterior import Posterior
from bnvae.nn.vae import VAE
from bnvae.runs.artifacts.data_card import DataCard
from bnvae.runs.artifacts.encodings import ENCODED_EXAMPLES, read_posterior, read_rows, write_posterior
from bnvae.runs.artifacts.previews import Examples, Preview
from bnvae.runs.artifacts.snapshots import Snapshot
from bnvae.runs.artifacts.snapshots import load as load_snapshots
from bnvae.runs.artifacts.weights import described_model, model_of, weights_of
from bnvae.runs.progress.control import Desk
from bnvae.runs.progress.history import HISTORY, HistoryReader
from bnvae.runs.progress.status import HELD, Status
from bnvae.runs.storage.atomic_files import MIB, BrokenRunError, read_bytes, read_json, write_atomic, write_json
from bnvae.runs.storage.kept_rows import kept_order
from bnvae.runs.storage.lock import hold, is_held
from bnvae.training.evaluation import encode
from bnvae.training.records import StepRecord, record_from_json

WEIGHTS = "weights.safetensors"
DESCRIPTION = "description.json"
ARRAYS = "arrays.npz"
LEASE = "lease.lock"
LIVE = "live.json"
ENCODINGS = "encodings.npz"
PREVIEW = "preview.npz"
ENVIRONMENT = "environment.json"
LARGEST_WEIGHTS_BYTES = 4 * 2**30
LARGEST_TOKENIZER_BYTES = 20 * MIB


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
    def precision(self) -> PrecisionName:
        """Of its matrix products; runs of earlier versions keep `auto`, and beside it what that meant at their begin.

        Raises:
            BrokenRunError: config.json or environment.json is missing or damaged.
        """
        precision = self.config.training.precision
        if precision != "auto" or not (self.folder / ENVIRONMENT).exists():
            return precision
        began = read_json(self.folder / ENVIRONMENT).get("precision")
        return {"bfloat16": "bf16", "float32": "fp32"}.get(str(began), "auto")  # type: ignore[return-value]

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

    @property
    def has_begun(self) -> bool:
        """Whether its data and settings were accepted once: what a worker keeps before the first step is here."""
        kept = ("data.json", HISTORY, WEIGHTS, ARRAYS)
        return any((self.folder / name).exists() for name in kept) or any(self.folder.glob("trainer-*"))

    def write_data(self, dataset: Dataset) -> None:
        """Keep what later work needs of the data set: card, vocabulary, a few test examples."""
        kept = Examples.of(dataset.test, self.test_order(len(dataset.test)))
        card = DataCard.of(dataset, entropy=source_entropy(self.config.data, dataset.shape))
        self.write_examples(card, kept, dataset.tokenizer)

    def test_order(self, count: int) -> Int64[Tensor, "N"]:
        """The order in which this run keeps the `count` rows of its test split; whatever it keeps begins with it."""
        return kept_order(self.folder / "examples.npz", count)

    def write_examples(self, card: DataCard, kept: Examples, tokenizer: Tokenizer | None) -> None:
        if tokenizer is not None:
            write_atomic(self.folder / "tokenizer.json", tokenizer_to_json(tokenizer).encode())
        kept.write(self.folder / "examples.npz")
        write_json(self.folder / "data.json", dataclasses.asdict(card))

    @property
    def examples(self) -> Examples:
        """Raises BrokenRunError if examples.npz is missing, damaged, or does not fit data.json."""
        return Examples.read(self.folder / "examples.npz", self.card)

    # -- what it is doing ---------------------------------------------------------------------------------------------

    @property
    def status(self) -> Status:
        """The worker's last word, corrected where the worker no longer lives."""
        status = self._last_word()
        if status.state in HELD and not self.is_held:
            # Read again: it may have ended in order between the two questions.
            status = self._last_word()
        if status.state in HELD and not self.is_held:
            note = f"Interrupted at step {status.step}: its worker ended without a word."
            return status.replace(state="interrupted", message=note)
        return status

    def _last_word(self) -> Status:
        try:
            return Status.from_dict(read_json(self.folder / "status.json"))
        except ValueError as error:
            return Status(state="broken", message=str(error))

    def write_status(self, status: Status) -> None:
        write_json(self.folder / "status.json", status.to_dict())

    def hold(self) -> AbstractContextManager[None]:
        """Be the run's only worker within.

        Raises:
            BlockingIOError: another process trains this run.
        """
        return hold(self.folder / LEASE)

    @property
    def is_held(self) -> bool:
        """Whether a living process trains this run."""
        return is_held(self.folder / LEASE)

    @property
    def desk(self) -> Desk:
        """Where pages leave word for the worker."""
        return Desk(self.folder)

    def request_stop(self) -> None:
        """Ask the worker to save and end; it looks before every step."""
        self.desk.ask_to_stop()

    def take_stop_request(self) -> bool:
        """Whether a stop was asked for; the request is taken back by asking, the pace is kept."""
        return self.desk.forget_stop()

    @property
    def steered_config(self) -> RunConfig:
        """The configuration as it is now, after all that was changed while the run trained.

        Raises:
            BrokenRunError: the configuration or the changes are damaged.
        """
        try:
            return steered(self.config, self.desk.changes())
        except BrokenRunError:
            raise
        except ValueError as error:
            raise BrokenRunError(f"{self.id}/steering.json: {error}") from None

    def write_live(self, record: StepRecord) -> None:
        """Show a step that is too young for the history: while a training is paused or in slow motion."""
        write_atomic(self.folder / LIVE, record.to_json().encode())

    def drop_live(self) -> None:
        (self.folder / LIVE).unlink(missing_ok=True)

    def live(self) -> StepRecord | None:
        """The record last shown by `write_live`; None if there is none, or a damaged one."""
        try:
            record = record_from_json(read_bytes(self.folder / LIVE, MIB).decode())
        except (ValueError, UnicodeDecodeError):
            return None
        return record if isinstance(record, StepRecord) else None

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
        reader = HistoryReader(self.folder / HISTORY)
        try:
            reader.read()
        except ValueError as error:
            raise BrokenRunError(f"{self.id}/{HISTORY}: {error}") from None
        return reader

    # -- what it has learned ------------------------------------------------------------------------------------------

    @property
    def has_encodings(self) -> bool:
        """Whether its model can be explored: encodings are written last of all that an evaluation leaves."""
        return (self.folder / ENCODINGS).is_file()

    @property
    def has_weights(self) -> bool:
        return (self.folder / WEIGHTS).is_file()

    @property
    def is_arrays(self) -> bool:
        """Whether it is posteriors alone, brought in without the model that made them."""
        return (self.folder / ARRAYS).is_file()

    def write_weights(self, model: VAE) -> None:
        """Publish the model as it is now; call it while the head holds the training set's moments."""
        write_atomic(self.folder / WEIGHTS, weights_of(model))

    @property
    def is_brought(self) -> bool:
        """Whether it was trained elsewhere, and so has no history and nothing to resume."""
        return self.is_arrays or (self.folder / DESCRIPTION).is_file()

    @property
    def can_go_on(self) -> bool:
        """Whether there is a state to resume, or nothing yet: bundled and imported runs come without theirs."""
        return not (self.has_weights or self.is_arrays) or any(self.folder.glob("trainer-*.json"))

    def load_model(self) -> VAE:
        """The published model, on the CPU, in eval mode, without gradients.

        Raises:
            BrokenRunError: weights are missing, damaged, or don't fit the configuration.
            ValueError: there is none, only posteriors that a model has made.
        """
        config, card = self.config, self.card
        if config.source == "arrays":
            raise ValueError(f"run {self.id!r} is arrays alone: bring the model's weights in to decode or encode.")
        if config.data.modality != card.modality:
            raise BrokenRunError(
                f"{self.id}/data.json is of {card.modality} data, config.json of {config.data.modality}."
            )
        content = read_bytes(self.folder / WEIGHTS, LARGEST_WEIGHTS_BYTES)
        described = read_bytes(self.folder / DESCRIPTION, MIB) if config.source == "weights" else None
        try:
            if described is not None:
                return described_model(described, config, card.shape, content)
            return model_of(config, card.shape, content)
        except ValueError as error:
            raise BrokenRunError(f"{self.id}/{WEIGHTS} {error}") from None

    def write_posterior(
        self, posterior: Posterior, labels: Tensor, *, rows: Int64[Tensor, "N"] | None = None, exact: bool = False
    ) -> None:
        """Keep the encodings of these rows of the test split; fp16, since they are drawn and not added up.

        `exact` is for numbers of another's making, which fp16 may not hold.
        """
        write_posterior(self.folder / ENCODINGS, posterior, labels, rows, exact=exact)

    def write_encodings(self, model: VAE, dataset: Dataset) -> None:
        """Encode the test examples, at most 10,000 of them, drawn at random, and keep the posteriors."""
        test = dataset.test
        rows = self.test_order(len(test))[:ENCODED_EXAMPLES]
        self.write_posterior(encode(model, test.examples[rows]), test.labels[rows], rows=rows)

    def encoded_rows(self) -> Int64[Tensor, "N"]:
        """Row numbers in the test split of the examples behind `encodings`."""
        return read_rows(self.folder / ENCODINGS)

    def encodings(self) -> tuple[Posterior, Float[Tensor, "N"]]:
        """Posteriors and labels of the test examples (up to 10,000)."""
        return read_posterior(self.folder / ENCODINGS, self.config.model.latent_dimensions, self.card)

    def write_preview(self, preview: Preview) -> None:
        preview.write(self.folder / PREVIEW)

    def preview(self) -> Preview | None:
        """What the model made at its last evaluation; None before the first."""
        path = self.folder / PREVIEW
        return Preview.read(path, self.card) if path.exists() else None

    def snapshots(self) -> list[Snapshot]:
        """The moments of the training that were kept, the earliest first; empty for a run without any."""
        try:
            return load_snapshots(self.folder, self.card)
        except BrokenRunError as error:
            raise BrokenRunError(f"{self.id}/{error}") from None

    def write_evaluation(self, evaluation: dict[str, Any]) -> None:
        write_json(self.folder / "evaluation.json", evaluation)

    def evaluation(self) -> dict[str, Any] | None:
        """The figures of the last full evaluation, as `python -m bnvae evaluate --json` prints them; None if none."""
        path = self.folder / "evaluation.json"
        if not path.exists():
            return None
        stored = read_json(path)
        for split in ("test", "training", *(["validation"] if "validation" in stored else [])):
            if not isinstance(stored.get(split), dict):
                raise BrokenRunError(f"{self.id}/evaluation.json has no figures of the {split} examples.")
        return stored
