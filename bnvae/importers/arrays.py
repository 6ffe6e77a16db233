"""A run from arrays of posteriors alone: what can be known of a latent space without the model that made it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Int, Int64
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from bnvae.config.schema import DataConfig, ModelConfig, RunConfig
from bnvae.data.dataset import ImageShape, TextShape
from bnvae.data.random_subset import subset_order
from bnvae.data.text.sentences import Corpus, Sentences, tokenised
from bnvae.importers.npz import read_npz
from bnvae.jobs.evaluate_runs import figures_of_arrays
from bnvae.nn.posterior import Posterior
from bnvae.runs.artifacts.data_card import DataCard
from bnvae.runs.artifacts.encodings import ENCODED_EXAMPLES
from bnvae.runs.artifacts.previews import Examples
from bnvae.runs.derived.codes import write_codes
from bnvae.runs.derived.projected_rows import MOST_EXAMPLE_BYTES
from bnvae.runs.progress.status import Status
from bnvae.runs.run import Run
from bnvae.runs.storage.atomic_files import sha256
from bnvae.runs.store import RunStore

KNOWN = ("means", "stds", "log_variances", "labels", "label_names", "pictures", "sentences")
MOST_EXAMPLES = 1_000_000
MOST_DIMENSIONS = 512
MOST_LABELS = 1_000
LARGEST_MEAN = 1e6
"""in standard deviations of the prior; above it, squares leave what fp32 can add up"""
SPREADS = (1e-12, 1e6)
BROUGHT = "Brought in: posteriors alone, without their model."


@final
@dataclass(frozen=True, kw_only=True)
class Codes:
    """What an .npz of posteriors holds, checked."""

    posterior: Posterior
    labels: Int[Tensor, "N"]
    label_names: tuple[str, ...]
    pictures: Tensor | None
    """uint8 (N, C, H, W)"""
    sentences: list[str] | None


def bring_arrays(store: RunStore, run_id: str, content: bytes, *, file: str = "codes.npz") -> Run:
    """A run of the posteriors in an .npz; `file` is its name, which pages show.

    Raises:
        ValueError: the name or an array is refused; nothing is kept.
    """
    codes = read_codes_of(content)
    is_text = codes.sentences is not None
    data = DataConfig(
        name="text" if is_text else "images",
        path=file[-200:] or "codes.npz",
        tokenizer="characters",  # of which a sentence is made exactly
        vocabulary_size=100_000,
        max_tokens=512,
        validation_share=0.0,
    )
    dimensions = codes.posterior.mean.shape[1]
    model = ModelConfig(head="gaussian", latent_dimensions=dimensions)
    with store.making(run_id, RunConfig(data=data, model=model, source="arrays")) as run:
        order = _write_examples(run, codes, data, sha256(content))
        write_codes(run, codes.posterior)
        run.write_evaluation(figures_of_arrays(codes.posterior))
        rows, given = order[:ENCODED_EXAMPLES], codes.posterior
        run.write_posterior(Posterior(given.mean[rows], given.std[rows]), codes.labels[rows], rows=rows, exact=True)
        run.write_status(Status(state="finished", message=BROUGHT))
    return store.get(run_id)


def read_codes_of(content: bytes) -> Codes:
    """The arrays of an .npz.

    Raises:
        ValueError: one is missing, unknown, of the wrong kind or shape, or holds an impossible number.
    """
    arrays = read_npz(content)
    if unknown := [name for name in arrays if name not in KNOWN]:
        raise ValueError(f"the .npz holds {unknown[0]!r:.80}: known are {', '.join(KNOWN)}.")
    if "means" not in arrays or ("stds" in arrays) == ("log_variances" in arrays):
        raise ValueError("the .npz needs 'means' and either 'stds' or 'log_variances', all of shape (N, D).")
    posterior = _posterior(arrays)
    count = len(posterior.mean)
    labels, names = _labels(arrays, count)
    if "pictures" in arrays and "sentences" in arrays:
        raise ValueError("the .npz holds 'pictures' and 'sentences': give one of them.")
    return Codes(
        posterior=posterior,
        labels=labels,
        label_names=names,
        pictures=_pictures(arrays["pictures"], count) if "pictures" in arrays else None,
        sentences=_text("sentences", arrays["sentences"], count) if "sentences" in arrays else None,
    )


def _posterior(arrays: Mapping[str, NDArray[Any]]) -> Posterior:
    means, is_log = arrays["means"], "log_variances" in arrays
    name = "log_variances" if is_log else "stds"
    given = arrays[name]
    for what, array in (("means", means), (name, given)):
        if array.dtype.kind != "f" or array.ndim != 2:
            raise ValueError(f"{what!r} is {array.dtype} {array.shape}: give floating-point numbers (N, D).")
    if means.shape != given.shape:
        raise ValueError(
            f"'means' is {means.shape} and {name!r} is {given.shape}: give one row for each example in both."
        )
    count, dimensions = means.shape
    if not 2 <= count <= MOST_EXAMPLES or not 1 <= dimensions <= MOST_DIMENSIONS:
        raise ValueError(
            f"'means' is {means.shape}: give 2 to {MOST_EXAMPLES:,} examples of 1 to {MOST_DIMENSIONS} dimensions."
        )
    _refuse("means", ~(np.abs(means) <= LARGEST_MEAN), f"give finite numbers up to {LARGEST_MEAN:g}")
    with np.errstate(over="ignore"):
        stds = np.exp(0.5 * given.astype(np.float64)) if is_log else given
    lowest, highest = SPREADS
    remedy = f"a std must be finite and from {lowest:g} to {highest:g}" + (
        "; these are log-variances" if is_log else ""
    )
    _refuse(name, ~((stds >= lowest) & (stds <= highest)), remedy)
    return Posterior(torch.from_numpy(means.astype(np.float32)), torch.from_numpy(stds.astype(np.float32)))


def _refuse(name: str, bad: NDArray[np.bool_], remedy: str) -> None:
    if bad.any():
        row, column = (int(place) for place in np.argwhere(bad)[0])
        raise ValueError(
            f"{name!r} has {int(bad.sum()):,} impossible numbers, the first at [{row}, {column}]: {remedy}."
        )


def _labels(arrays: Mapping[str, NDArray[Any]], count: int) -> tuple[Tensor, tuple[str, ...]]:
    if "labels" not in arrays:
        if "label_names" in arrays:
            raise ValueError("the .npz holds 'label_names' and no 'labels': give both, or neither.")
        return torch.full((count,), -1), ()
    labels = arrays["labels"]
    if labels.shape != (count,) or labels.dtype.kind not in "iuU":
        raise ValueError(f"'labels' is {labels.dtype} {labels.shape}: give {count} whole numbers or words.")
    values, indices = np.unique(labels, return_inverse=True)
    if "label_names" in arrays:
        names = _text("label_names", arrays["label_names"], len(arrays["label_names"]))
        if labels.dtype.kind == "U" or int(labels.min()) < -1 or int(labels.max()) >= len(names):
            raise ValueError(f"'labels' must be indices into the {len(names)} 'label_names', or -1 for none.")
        values, indices = np.array(names), labels.astype(np.int64)
    if len(values) > MOST_LABELS:
        raise ValueError(f"'labels' has {len(values):,} different values: at most {MOST_LABELS:,} can be told apart.")
    return torch.from_numpy(indices.astype(np.int64)), tuple(str(value) for value in values)


def _pictures(pictures: NDArray[Any], count: int) -> Tensor:
    shaped = pictures[:, None] if pictures.ndim == 3 else pictures
    sizes = shaped.shape[1:]
    fits = (
        shaped.ndim == 4 and len(shaped) == count and sizes[0] in (1, 3) and all(1 <= side <= 128 for side in sizes[1:])
    )
    if not fits or pictures.dtype != np.uint8:
        raise ValueError(
            f"'pictures' is {pictures.dtype} {pictures.shape}: give uint8 ({count}, H, W) or ({count}, C, H, W), with "
            "C 1 or 3 and up to 128 pixels a side."
        )
    return torch.from_numpy(shaped.copy())


def _text(name: str, given: NDArray[Any], count: int) -> list[str]:
    if given.dtype.kind != "U" or given.shape != (count,):
        raise ValueError(f"{name!r} is {given.dtype} {given.shape}: give {count} texts.")
    return [str(one) for one in given]


def _write_examples(run: Run, codes: Codes, data: DataConfig, digest: str) -> Int64[Tensor, "N"]:
    """The examples as if they were a test split, so that pages find them; there is no training split.

    Returns the order in which examples and encodings are kept: the given one where all are, else a random one.
    """
    shape, examples, tokenizer = _examples(codes, data)
    count = min(len(examples), ENCODED_EXAMPLES, max(16, MOST_EXAMPLE_BYTES // max(1, examples[:1].nbytes)))
    total = len(codes.labels)
    order = torch.arange(total) if total <= ENCODED_EXAMPLES and count in (0, total) else subset_order(total)
    card = DataCard(
        shape=shape,
        training_examples=0,
        validation_examples=0,
        test_examples=total,
        label_names=codes.label_names,
        digest=digest,
    )
    rows = order[:count]
    run.write_examples(card, Examples(examples=examples[rows], labels=codes.labels[rows], rows=rows), tokenizer)
    return order


def _examples(codes: Codes, data: DataConfig) -> tuple[ImageShape | TextShape, Tensor, Tokenizer | None]:
    if codes.sentences is not None:
        lines = Sentences(lines=codes.sentences, labels=codes.labels.tolist())
        made = tokenised(
            Corpus(training=lines, validation=None, test=Sentences(lines=[], labels=[])), data, tokenizer=None
        )
        return made.shape, made.training.examples, made.tokenizer
    pictures = codes.pictures
    if pictures is None:
        pictures = torch.zeros(0, 1, 1, 1, dtype=torch.uint8)  # a shape has no zeros; there is no example to have it
    _, channels, height, width = pictures.shape
    return ImageShape(channels=channels, height=height, width=width), pictures, None
