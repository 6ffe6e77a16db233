"""Cached wrappers, named for what they wrap. Caches are shared by all visitors; keys change when a file does."""

import threading
from pathlib import Path

import streamlit as st
from tokenizers import Tokenizer
from torch import Tensor

from bnvae.data.text.vocabulary import decode
from bnvae.metrics.generation import SampleSettings, decode_codes, reconstruct, shared_codes
from bnvae.nn.vae import VAE
from bnvae.runs import BrokenRunError, Run
from bnvae.runs.artifacts.previews import Examples, Preview
from bnvae.runs.artifacts.snapshots import Snapshot
from bnvae.runs.progress import checkpoint
from bnvae.runs.progress.history import HISTORY, ChangedHistoryError, HistoryReader
from bnvae.runs.storage.atomic_files import UnreadableRunError
from bnvae.training.records import StepRecord
from pages.shared.state import store
from pages.shared.typeset import typeset


def version(run: Run, name: str) -> tuple[int, int]:
    """Changes whenever the file does; (0, 0) while there is none."""
    try:
        stat = (run.folder / name).stat()
    except OSError:
        return (0, 0)
    return (stat.st_mtime_ns, stat.st_size)


@st.cache_resource(max_entries=64, show_spinner=False)
def _reader(folder: str) -> tuple[HistoryReader, threading.Lock]:
    run = store().get(folder)
    return HistoryReader(run.folder / HISTORY), threading.Lock()


def history(run: Run, dimensions: int) -> HistoryReader:
    """The run's history up to now; only what was appended since the last look is parsed.

    Raises:
        BrokenRunError: the history is damaged, or of a model with another number of latent dimensions.
    """
    reader, lock = _reader(run.id)
    try:
        with lock:
            reader.read()
            recorded = reader.copied()  # another visitor's look must not lengthen what this one is drawing
    except ValueError as error:
        raise BrokenRunError(f"{run.id}/{HISTORY}: {error}") from None
    for record in recorded.steps:
        if not _fits(record, dimensions):
            raise BrokenRunError(
                f"{run.id}/{HISTORY} has values at step {record.step} that are not one for each of {dimensions} "
                "latent dimensions."
            )
    return recorded


@st.cache_data(max_entries=256, show_spinner=False)
def _doubt(run_id: str, *versions: tuple[int, int], _folder: Path) -> str:
    """What can't be read now is raised, since it may be read next time: only what is returned is kept."""
    try:
        checkpoint.check_newest_history(_folder)
    except ChangedHistoryError as error:
        return str(error)
    return ""


def history_doubt(run: Run) -> str:
    """What is wrong with the history of a run that does not train, as far as its checkpoint tells; "" if nothing is."""
    versions = [version(run, name) for name in (HISTORY, *checkpoint.MANIFESTS)]
    try:
        return _doubt(run.id, *versions, _folder=run.folder)
    except UnreadableRunError as error:
        return str(error)


def live(run: Run, dimensions: int) -> StepRecord | None:
    """The step at which the run waits, if it shows one; None also for a record of another model."""
    record = run.live()
    return record if record is not None and _fits(record, dimensions) else None


def _fits(record: StepRecord, dimensions: int) -> bool:
    """Whether every list of the record has one value for each latent dimension."""
    vectors = (
        record.kl_per_dimension,
        record.mean_second_moment,
        record.std_second_moment,
        record.current_floor,
        record.gamma_mean,
        record.gamma_std,
    )
    return all(values is None or len(values) == dimensions for values in vectors)


@st.cache_resource(max_entries=8, show_spinner="Loading the model")
def _model(run_id: str, weights: tuple[int, int]) -> VAE:
    return store().get(run_id).load_model()


def model(run: Run) -> VAE:
    """The published model, shared by all visitors: never to be changed."""
    return _model(run.id, version(run, "weights.safetensors"))


@st.cache_data(max_entries=64, show_spinner=False)
def _preview(run_id: str, preview: tuple[int, int]) -> Preview | None:
    return store().get(run_id).preview()


def preview(run: Run) -> Preview | None:
    """What the model made at its last evaluation; None before the first."""
    return _preview(run.id, version(run, "preview.npz"))


@st.cache_data(max_entries=32, show_spinner=False)
def _examples(run_id: str, examples: tuple[int, int]) -> Examples:
    return store().get(run_id).examples


def examples(run: Run) -> Examples:
    """The test examples kept with the run."""
    return _examples(run.id, version(run, "examples.npz"))


@st.cache_data(max_entries=128, show_spinner="Decoding")
def _prior_samples(run_id: str, weights: tuple[int, int], settings: SampleSettings) -> Tensor:
    run = store().get(run_id)
    codes = shared_codes(model(run), settings.count, settings.decoding.seed) * settings.spread
    return decode_codes(model(run), run.card.shape, codes, settings.decoding)


def prior_samples(run: Run, settings: SampleSettings) -> Tensor:
    """Pixels or tokens decoded from the codes of `shared_codes`, their distance from 0 multiplied by the spread."""
    return _prior_samples(run.id, version(run, "weights.safetensors"), settings)


@st.cache_data(max_entries=128, show_spinner="Decoding")
def _reconstructions(run_id: str, weights: tuple[int, int], settings: SampleSettings) -> Tensor:
    run = store().get(run_id)
    return reconstruct(model(run), run.card.shape, originals(run, settings), settings.decoding)


def reconstructions(run: Run, settings: SampleSettings) -> Tensor:
    """`originals`, each decoded from its posterior mean."""
    return _reconstructions(run.id, version(run, "weights.safetensors"), settings)


def originals(run: Run, settings: SampleSettings) -> Tensor:
    """The first of the test examples kept with the run."""
    return examples(run).examples[: settings.count]


@st.cache_data(max_entries=16, show_spinner=False)
def _snapshots(run_id: str, album: tuple[int, int]) -> list[Snapshot]:
    return store().get(run_id).snapshots()


def snapshots(run: Run) -> list[Snapshot]:
    """The album of the run."""
    return _snapshots(run.id, version(run, "snapshots"))


def sentences(run: Run, tokens: Tensor) -> list[str]:
    """Rows of tokens as text, by the run's own vocabulary."""
    plain = decode(vocabulary(run), tokens)
    return [typeset(sentence) for sentence in plain] if run.config.data.tokenizer == "words" else plain


def vocabulary(run: Run) -> Tokenizer:
    """The tokenizer of a text run.

    Raises:
        BrokenRunError: it is missing or damaged.
    """
    tokenizer = _tokenizer(run.id, version(run, "tokenizer.json"))
    if tokenizer is None:
        raise BrokenRunError(f"{run.id}/tokenizer.json is missing: the run folder is incomplete.")
    return tokenizer


@st.cache_resource(max_entries=16, show_spinner=False)
def _tokenizer(run_id: str, tokenizer: tuple[int, int]) -> Tokenizer | None:
    return store().get(run_id).tokenizer
