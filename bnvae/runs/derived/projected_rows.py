"""What a run's map shows of each example beyond its code: the example itself, its distortion, its known causes."""

import json
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Float, Int64
from numpy.typing import NDArray
from torch import Tensor

from bnvae.runs.run import Run
from bnvae.runs.storage.atomic_files import MIB, BrokenRunError, read_arrays, write_arrays
from bnvae.runs.storage.kept_rows import rows_of

MAPPED = "mapped.npz"
MOST_EXAMPLE_BYTES = 8 * MIB
MOST_FACTORS = 32


@final
@dataclass(frozen=True, kw_only=True)
class Factor:
    """One known cause of every example."""

    values: Float[Tensor, "N"]
    """numbers, or indices into `names`"""
    names: tuple[str, ...] = ()


@final
@dataclass(frozen=True, kw_only=True)
class Mapped:
    """Belongs to the run's encodings, row for row."""

    examples: Tensor
    """uint8 (M, C, H, W) pixels or int32 (M, L) tokens of the first M <= N examples"""
    distortion: Float[Tensor, "N"]
    """-ln p(x|z) of one draw of z (nats)"""
    rows: Int64[Tensor, "N"]
    """row numbers of the encoded examples in the test split"""
    factors: dict[str, Factor] = field(default_factory=dict)


def write_mapped(run: Run, mapped: Mapped) -> None:
    header = {"factors": {name: list(factor.names) for name, factor in mapped.factors.items()}}
    write_arrays(
        run.folder / MAPPED,
        {
            "header": np.frombuffer(json.dumps(header).encode(), dtype=np.uint8),
            "examples": mapped.examples.numpy(),
            "distortion": mapped.distortion.numpy().astype(np.float32),
            "factors": _rows(mapped),
            "rows": mapped.rows.numpy(),
        },
    )


def _rows(mapped: Mapped) -> NDArray[np.float32]:
    if not mapped.factors:
        return np.zeros((0, len(mapped.distortion)), dtype=np.float32)
    return np.stack([factor.values.numpy().astype(np.float32) for factor in mapped.factors.values()])


def read_mapped(run: Run, *, count: int) -> Mapped | None:
    """None where it was never computed, or of other test examples than are encoded now.

    Raises:
        BrokenRunError: it is damaged, or does not belong to `count` encodings.
    """
    path = run.folder / MAPPED
    if not path.exists():
        return None
    where = f"{run.id}/{MAPPED}"
    stored = read_arrays(path, ("header", "examples", "distortion", "factors"), optional=("rows",))
    names = _names(stored["header"], where)
    distortion, factors = stored["distortion"], stored["factors"]
    for name, array, shape in (("distortion", distortion, (count,)), ("factors", factors, (len(names), count))):
        if array.dtype.kind != "f" or array.shape != shape:
            raise BrokenRunError(f"{where}: {name} is {array.dtype} {array.shape}: expected numbers {shape}.")
    examples = run.card.examples(stored["examples"], f"{where}: examples")
    if len(examples) > count:
        raise BrokenRunError(f"{where} has {len(examples)} examples for {count} encodings.")
    rows = rows_of(stored, count, f"{where}:")
    if not torch.equal(rows, run.encoded_rows()):
        return None
    return Mapped(
        examples=examples,
        distortion=torch.from_numpy(distortion.astype(np.float32)),
        factors={
            name: Factor(values=torch.from_numpy(values.astype(np.float32)), names=names[name])
            for name, values in zip(names, factors, strict=True)
        },
        rows=rows,
    )


def _names(stored: NDArray[Any], where: str) -> dict[str, tuple[str, ...]]:
    try:
        if stored.dtype != np.uint8 or stored.ndim != 1 or stored.size > MIB:
            raise ValueError("its header is no text")
        factors = json.loads(stored.tobytes())["factors"]
        if len(factors) > MOST_FACTORS:
            raise ValueError(f"it has {len(factors)} factors")
        return {str(name): tuple(str(value) for value in values) for name, values in factors.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BrokenRunError(f"{where} cannot be read ({error}).") from None
