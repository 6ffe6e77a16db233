"""A run's figures of each test example, so that two runs on the same test set can be compared pair by pair."""

import json
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bnvae.metrics.figures.example_figures import MOST_EXAMPLES, ExampleFigures
from bnvae.metrics.figures.figure_values import number
from bnvae.runs.artifacts.data_card import DataCard
from bnvae.runs.run import Run
from bnvae.runs.storage.atomic_files import MIB, BrokenRunError, read_arrays, write_arrays

EXAMPLE_FIGURES = "example_figures.npz"
NAMES = ("header", "rows", "distortion", "rate", "nll_rows", "nll")


def write_example_figures(run: Run, each: ExampleFigures, digest: str, evaluation: dict[str, Any]) -> None:
    """Keep the figures (fp32) of at most 50,000 test examples, with the data set's digest and the means they belong to.

    Call it just before the evaluation is written, which then has the same means. Figures that are not finite, as of a
    training that diverged, are not kept: a reader refuses them.
    """
    kept = each.bounded()
    found = [figures for figures in (kept.distortion, kept.rate, kept.nll) if figures is not None]
    if not all(bool(torch.isfinite(figures.float()).all()) for figures in found):
        (run.folder / EXAMPLE_FIGURES).unlink(missing_ok=True)
        return
    header = {"digest": digest, **_means(evaluation, evaluation.get("thorough"))}
    none = torch.empty(0)
    write_arrays(
        run.folder / EXAMPLE_FIGURES,
        {
            "header": np.frombuffer(json.dumps(header).encode(), dtype=np.uint8),
            "rows": kept.rows.numpy().astype(np.int64),
            "distortion": kept.distortion.numpy().astype(np.float32),
            "rate": kept.rate.numpy().astype(np.float32),
            "nll_rows": (none if kept.nll_rows is None else kept.nll_rows).numpy().astype(np.int64),
            "nll": (none if kept.nll is None else kept.nll).numpy().astype(np.float32),
        },
    )


def read_example_figures(
    run: Run, evaluation: dict[str, Any] | None, thorough: dict[str, Any] | None
) -> ExampleFigures | None:
    """The kept figures of each example; None where there are none, or those of another evaluation than this one.

    An NLL is left out unless it belongs to these thorough figures.

    Raises:
        BrokenRunError: the file is damaged, or has numbers that are none, or of rows that the test set has not.
    """
    path = run.folder / EXAMPLE_FIGURES
    if not path.exists():
        return None
    where, card = f"{run.id}/{EXAMPLE_FIGURES}", run.card
    stored = read_arrays(path, NAMES)
    header = _header(stored["header"], where)
    rows, (distortion, rate) = _rows(stored, "rows", ("distortion", "rate"), card, where)
    nll_rows, (nll,) = _rows(stored, "nll_rows", ("nll",), card, where)
    wanted = _means(evaluation, thorough)
    if header.get("digest") != card.digest or header.get("elbo") != wanted["elbo"] or wanted["elbo"] is None:
        return None
    known = len(nll) > 0 and wanted["nll"] is not None and header.get("nll") == wanted["nll"]
    return ExampleFigures(
        rows=rows,
        distortion=distortion,
        rate=rate,
        nll_rows=nll_rows if known else None,
        nll=nll if known else None,
    )


def _means(evaluation: dict[str, Any] | None, thorough: dict[str, Any] | None) -> dict[str, float | None]:
    """The figures by which each example's are known as theirs."""
    return {"elbo": number(evaluation, "test", "elbo"), "nll": number(thorough, "nll")}


def _header(stored: NDArray[Any], where: str) -> dict[str, Any]:
    try:
        if stored.dtype != np.uint8 or stored.ndim != 1 or stored.size > MIB:
            raise ValueError("its header is no text")
        header = json.loads(stored.tobytes())
    except (ValueError, RecursionError) as error:
        raise BrokenRunError(f"{where} cannot be read ({error}).") from None
    if not isinstance(header, dict):
        raise BrokenRunError(f"{where} cannot be read (its header is no object).")
    return header


def _rows(
    stored: dict[str, NDArray[Any]], name: str, figures: tuple[str, ...], card: DataCard, where: str
) -> tuple[Tensor, list[Tensor]]:
    rows = stored[name]
    if rows.dtype.kind != "i" or rows.ndim != 1 or len(rows) > MOST_EXAMPLES:
        raise BrokenRunError(
            f"{where}: {name} is {rows.dtype} {rows.shape}: expected at most {MOST_EXAMPLES} whole numbers."
        )
    rising = bool((np.diff(rows) > 0).all())
    if len(rows) and not (rising and rows[0] >= 0 and rows[-1] < card.test_examples):
        raise BrokenRunError(f"{where}: {name} are not rising numbers of {card.test_examples} test examples.")
    found = []
    for figure in figures:
        values = stored[figure]
        if values.dtype.kind != "f" or values.shape != rows.shape or not np.isfinite(values).all():
            raise BrokenRunError(
                f"{where}: {figure} is {values.dtype} {values.shape}: expected {len(rows)} finite numbers."
            )
        found.append(torch.from_numpy(values.astype(np.float64)))
    return torch.from_numpy(rows.astype(np.int64)), found
