"""The maps kept with a run: points and parameters of each, and the digest of the encodings that they belong to."""

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from bnvae.latent.neighbours import Fidelity
from bnvae.latent.projection.fit_projection import Method, Projection
from bnvae.runs.run import Run
from bnvae.runs.storage.atomic_files import BrokenRunError, read_arrays, read_bytes, sha256, write_arrays
from bnvae.training.records import is_number

PROJECTION = "projection.npz"
ENCODINGS = "encodings.npz"
LARGEST_ENCODINGS_BYTES = 512 * 2**20
FARTHEST = 1e6
"""A point farther from 0 was not made by a map."""
MOST_ALIGNED = 8
"""aligned maps kept in one run's folder; the oldest goes first"""


def name_of(method: Method, dimensions: int) -> str:
    """What a map is called in the file: "umap-2"."""
    return f"{method}-{dimensions}"


NAMES = tuple(name_of(method, dimensions) for method in ("umap", "tsne") for dimensions in (2, 3))


def encodings_digest(run: Run) -> str:
    """sha256 of encodings.npz: a map of other encodings is another map.

    Raises:
        BrokenRunError: there are no encodings yet.
    """
    return sha256(read_bytes(run.folder / ENCODINGS, LARGEST_ENCODINGS_BYTES))


def write_maps(run: Run, digest: str, maps: Mapping[str, Projection]) -> None:
    """Keep maps of the encodings with this digest, instead of any kept before."""
    write_arrays(run.folder / PROJECTION, packed([digest], maps))


def read_maps(run: Run, *, count: int) -> dict[str, Projection]:
    """The maps of the run's present `count` encodings by name; none if there are none, or of other encodings only.

    Raises:
        BrokenRunError: projection.npz is damaged, or does not fit the encodings.
    """
    path = run.folder / PROJECTION
    if not path.exists():
        return {}
    header = header_of(read_arrays(path, ("header",))["header"], f"{run.id}/{PROJECTION}")
    if header["encodings"] != [encodings_digest(run)]:
        return {}
    names = tuple(name for name in NAMES if name in header["maps"])
    stored = read_arrays(path, names)
    return {name: map_of(header["maps"][name], stored[name], count, f"{run.id}/{PROJECTION}: {name}") for name in names}


def in_order(runs: Sequence[Run]) -> list[Run]:
    """The one order of these runs that their common map is kept in: the first one's folder has it."""
    return sorted(runs, key=lambda run: run.id)


def aligned_name(digests: Sequence[str]) -> str:
    return f"aligned-{sha256(' '.join(digests).encode())[:16]}.npz"


def write_aligned(runs: Sequence[Run], digests: Sequence[str], maps: Sequence[Projection]) -> None:
    """Keep the common map of runs, given as `in_order` has them, in the first one's folder."""
    folder = runs[0].folder
    write_arrays(folder / aligned_name(digests), packed(digests, {f"run-{i}": found for i, found in enumerate(maps)}))
    kept = sorted(folder.glob("aligned-*.npz"), key=lambda path: path.stat().st_mtime)
    for old in kept[:-MOST_ALIGNED]:
        old.unlink(missing_ok=True)


def read_aligned(runs: Sequence[Run], *, count: int) -> dict[str, Projection] | None:
    """The common map of runs by their ids; None if there is none of their present encodings.

    Raises:
        BrokenRunError: it is damaged, or does not fit.
    """
    runs = in_order(runs)
    digests = [encodings_digest(run) for run in runs]
    path = runs[0].folder / aligned_name(digests)
    if not path.exists():
        return None
    where = f"{runs[0].id}/{path.name}"
    names = tuple(f"run-{i}" for i in range(len(runs)))
    stored = read_arrays(path, ("header", *names))
    header = header_of(stored["header"], where)
    if header["encodings"] != digests or set(header["maps"]) != set(names):
        raise BrokenRunError(f"{where} is of other runs.")
    return {
        run.id: map_of(header["maps"][name], stored[name], count, f"{where}: {name}")
        for run, name in zip(runs, names, strict=True)
    }


def packed(digests: Sequence[str], maps: Mapping[str, Projection]) -> dict[str, NDArray[Any]]:
    """Arrays of a file of maps: points by their names, and a header in JSON."""
    header = {
        "encodings": list(digests),
        "maps": {
            name: {
                "method": found.method,
                "fitted": found.fitted,
                "parameters": found.parameters,
                "fidelity": None if found.fidelity is None else dataclasses.asdict(found.fidelity),
            }
            for name, found in maps.items()
        },
    }
    points = {name: found.points.numpy().astype(np.float32) for name, found in maps.items()}
    return {"header": np.frombuffer(json.dumps(header).encode(), dtype=np.uint8), **points}


def header_of(stored: NDArray[Any], where: str) -> dict[str, Any]:
    """What `packed` wrote of the maps beside their points.

    Raises:
        BrokenRunError: it is damaged.
    """
    try:
        if stored.dtype != np.uint8 or stored.ndim != 1 or stored.size > 2**20:
            raise ValueError("its header is no text")
        header = json.loads(stored.tobytes())
        digests, maps = header["encodings"], header["maps"]
        if not isinstance(maps, dict) or not all(isinstance(found, dict) for found in maps.values()):
            raise ValueError("its header lists no maps")
        if not isinstance(digests, list) or not all(isinstance(digest, str) for digest in digests):
            raise ValueError("its header names no encodings")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BrokenRunError(f"{where} cannot be read ({error}).") from None
    return {"encodings": digests, "maps": maps}


def map_of(stored: dict[str, Any], points: NDArray[Any], count: int, where: str) -> Projection:
    """One map of a file.

    Raises:
        BrokenRunError: it is damaged, or not of `count` points.
    """
    if points.dtype.kind != "f" or points.ndim != 2 or points.shape[0] != count or points.shape[1] not in (2, 3):
        raise BrokenRunError(f"{where} is {points.dtype} {points.shape}: expected points ({count}, 2 or 3).")
    found = torch.from_numpy(points.astype(np.float32))
    if bool((found.abs() > FARTHEST).any()):
        raise BrokenRunError(f"{where} has points farther than {FARTHEST:g} from 0.")
    try:
        parameters = {str(name)[:40]: float(value) for name, value in stored["parameters"].items() if _is_finite(value)}
        if stored["method"] not in get_args(Method) or not 0 <= int(stored["fitted"]) <= count:
            raise ValueError("method or fitted")
        return Projection(
            method=stored["method"],
            points=found,
            fitted=int(stored["fitted"]),
            parameters=parameters,
            fidelity=None if stored["fidelity"] is None else _fidelity(stored["fidelity"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise BrokenRunError(f"{where} is described wrongly ({error}).") from None


def _fidelity(stored: dict[str, Any]) -> Fidelity:
    for name in ("neighbours", "examples", "of"):
        if type(stored[name]) is not int or not 0 <= stored[name] < 2**31:
            raise ValueError(f"{name} is {stored[name]!r:.40}")
    for name in ("trustworthiness", "kept"):
        if not _is_finite(stored[name]) or not -3 <= stored[name] <= 1:
            raise ValueError(f"{name} is {stored[name]!r:.40}")
    return Fidelity(
        trustworthiness=float(stored["trustworthiness"]),
        kept=float(stored["kept"]),
        neighbours=stored["neighbours"],
        examples=stored["examples"],
        of=stored["of"],
    )


def _is_finite(value: object) -> bool:
    return isinstance(value, float | int) and is_number(value) and math.isfinite(value)
