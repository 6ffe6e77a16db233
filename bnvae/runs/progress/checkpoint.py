"""A training's whole state, saved so that it can be killed at any moment and go on from there."""

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from torch import Tensor

from bnvae.runs.progress.checkpoint_remedies import remedy_of, unreadable
from bnvae.runs.progress.history import HISTORY, ChangedHistoryError, check_history
from bnvae.runs.storage.atomic_files import (
    BrokenRunError,
    UnreadableRunError,
    overwrite,
    read_bytes,
    read_json,
    sha256,
    write_atomic,
    write_json,
)
from bnvae.runs.storage.retry import insist
from bnvae.runs.storage.tensor_bytes import views_of
from bnvae.training.trainer import Trainer

SLOTS = 2
"""checkpoints kept: the newest, and the one before in case the newest is damaged"""
MANIFESTS = tuple(f"trainer-{slot}.json" for slot in range(SLOTS))
LARGEST_CHECKPOINT_BYTES = 8 * 2**30


@final
@dataclass(frozen=True)
class Position:
    """Where a restored training stands."""

    step: int
    history_bytes: int
    """length of the history at that step (bytes)"""
    skipped: tuple[str, ...]
    """damaged checkpoints that were passed over, in words"""


def _paths(folder: Path, slot: int) -> tuple[Path, Path]:
    return folder / f"trainer-{slot}.safetensors", folder / MANIFESTS[slot]


def save(
    folder: Path, trainer: Trainer, history_bytes: int, data_digest: str, *, history_sha256: str | None = None
) -> None:
    """Write the training's state into the older of the slots.

    Call it when the trainer `is_settled`, and the history is on the disk. The manifest goes last and has the hash of
    both, so a checkpoint is either whole or not there. `history_sha256` is of the first `history_bytes` of the history,
    to be compared by `restore`.
    """
    steps = {slot: manifest["step"] for slot, manifest in _manifests(folder)[0].items()}
    if trainer.step in steps.values():
        return
    slot = min(range(SLOTS), key=lambda index: steps.get(index, -1))
    tensors_path, manifest_path = _paths(folder, slot)
    # No copy is made of the weights: while they are hashed and written, no step changes them.
    content = views_of(_tensors(trainer))
    manifest: dict[str, Any] = {"step": trainer.step, "history_bytes": history_bytes, "data_digest": data_digest}
    if history_sha256 is not None:
        manifest["history_sha256"] = history_sha256
    insist(lambda: manifest_path.unlink(missing_ok=True), manifest_path)
    overwrite(tensors_path, content)
    write_json(manifest_path, {**manifest, "sha256": _hash(manifest, *content)})


def restore(folder: Path, trainer: Trainer, data_digest: str) -> Position | None:
    """Put the newest undamaged checkpoint into the trainer; None if there is none.

    One whose history is no longer what it was then is passed over like a damaged one: going on from it would pass a
    changed curve on. Without any history it is taken, since whoever removes a damaged one wants to go on, and says from
    then on that its history begins there.

    Raises:
        ValueError: the data set is not the one the checkpoint was trained on.
        UnreadableRunError: the newest may be whole, and can't be read now: an older one would cut off what it holds.
        BrokenRunError: there are checkpoints and none can be used; it says what can be done about that.
    """
    manifests, refused = _manifests(folder)
    for path, error in refused.items():
        if isinstance(error, UnreadableRunError):  # whose step nobody knows
            raise unreadable(path, [str(error)])
    skipped = [f"{path.name} passed over: {error}" for path, error in refused.items()]
    for slot, manifest in sorted(manifests.items(), key=lambda item: -item[1]["step"]):
        tensors_path, manifest_path = _paths(folder, slot)
        step = int(manifest["step"])
        try:
            content = _tensors_of(manifest, tensors_path)
            if manifest["data_digest"] != data_digest:
                raise ValueError(
                    f"the data set has changed since step {step}: its digest was "
                    f"{manifest['data_digest'][:12]} and is {data_digest[:12]}. Start a new run for the new data."
                )
            note = _check_history(folder, manifest)
            _restore(trainer, load_tensors(content))
        except UnreadableRunError as error:
            raise unreadable(manifest_path, [*skipped, f"checkpoint of step {step}: {error}"]) from None
        except (BrokenRunError, SafetensorError, KeyError, RuntimeError) as error:
            skipped.append(f"checkpoint of step {step} passed over: {error}")
            refused[manifest_path] = error
            continue
        # Else it would pass for the newest, and the next save would replace the good one.
        for path in refused:
            path.unlink()
        if note:  # else the new history would not fit either, after a kill before the next checkpoint
            manifest = {**manifest, "history_bytes": 0, "history_sha256": sha256(b"")}
            write_json(manifest_path, {**manifest, "sha256": _hash(manifest, content)})
        trainer.step = step
        return Position(step, int(manifest["history_bytes"]), tuple(skipped + note))
    if refused:
        kind, remedy = remedy_of(list(refused.values()))
        raise kind(f"{remedy} {' '.join(skipped)}")
    return None


def newest(folder: Path) -> tuple[dict[str, Any], bytes] | None:
    """Manifest and tensors of the newest undamaged checkpoint, also while a worker writes the next; None if none."""
    manifests = _manifests(folder)[0]
    while manifests:
        for slot, manifest in sorted(manifests.items(), key=lambda item: -item[1]["step"]):
            with suppress(BrokenRunError):
                return manifest, _tensors_of(manifest, _paths(folder, slot)[0])
        before, manifests = manifests, _manifests(folder)[0]
        if manifests == before:
            return None
    return None


def holds(folder: Path, name: str) -> bool:
    """Whether the newest undamaged checkpoint has a tensor of this name."""
    found = newest(folder)
    return found is not None and name in load_tensors(found[1])


def history_doubt(folder: Path) -> str:
    """In words, if the history is not what it was at the newest checkpoint, a finished run's whole one; "" if it is."""
    try:
        check_newest_history(folder)
    except BrokenRunError as error:
        return str(error)
    return ""


def check_newest_history(folder: Path) -> None:
    """Compare the history with what the newest checkpoint knows of it.

    Raises:
        ChangedHistoryError: it is another.
        UnreadableRunError: it or a manifest can't be read now.
    """
    manifests, refused = _manifests(folder)
    for error in refused.values():
        if isinstance(error, UnreadableRunError):
            raise error
    _check_history(folder, max(manifests.values(), key=lambda manifest: manifest["step"], default={}))


def place(folder: Path, manifest: dict[str, Any], tensors: bytes) -> None:
    """Put a checkpoint into a folder that has none."""
    tensors_path, manifest_path = _paths(folder, 0)
    write_atomic(tensors_path, tensors)
    write_json(manifest_path, manifest)


def _manifests(folder: Path) -> tuple[dict[int, dict[str, Any]], dict[Path, Exception]]:
    """Those that can be read by their slot, whatever their hash; and the files of the others, with what is wrong."""
    found: dict[int, dict[str, Any]] = {}
    refused: dict[Path, Exception] = {}
    for slot in range(SLOTS):
        _, path = _paths(folder, slot)
        try:
            manifest = read_json(path)
        except UnreadableRunError as error:
            refused[path] = error
            continue
        except BrokenRunError:
            manifest = {}
        length_bytes = manifest.get("history_bytes")
        if isinstance(manifest.get("step"), int) and isinstance(length_bytes, int) and length_bytes >= 0:
            found[slot] = manifest
        elif path.exists():
            refused[path] = BrokenRunError("it is damaged.")
    return found, refused


def _tensors_of(manifest: dict[str, Any], path: Path) -> bytes:
    """Raises BrokenRunError if they are missing, unreadable, or not those that the manifest was written for."""
    content = read_bytes(path, LARGEST_CHECKPOINT_BYTES)
    if _hash(manifest, content) != manifest.get("sha256"):
        raise BrokenRunError(f"{path.name} does not match its hash: it was damaged after it was written.")
    return content


def _check_history(folder: Path, manifest: dict[str, Any]) -> list[str]:
    """What is to be said of a history that is missing.

    Raises:
        BrokenRunError: it is there, and is not the one of this checkpoint, or can't be read now.
    """
    wanted = manifest.get("history_sha256")
    if wanted is None:  # of a version that kept none
        return []
    try:
        check_history(folder / HISTORY, manifest["history_bytes"], wanted)
    except ChangedHistoryError:
        if os.path.lexists(folder / HISTORY):
            raise
        return [f"{HISTORY} is missing: its curves begin at step {manifest['step']}."]
    return []


def _hash(manifest: dict[str, Any], *tensors: bytes | memoryview) -> str:
    """Of all that a checkpoint says: a manifest is short, but a wrong step in it would do as much harm."""
    stated = [manifest.get(name) for name in ("step", "history_bytes", "data_digest")]
    stated += [manifest["history_sha256"]] if "history_sha256" in manifest else []
    digest = hashlib.sha256(json.dumps(stated).encode())
    for part in tensors:
        digest.update(part)
    return digest.hexdigest()


def _tensors(trainer: Trainer) -> dict[str, Tensor]:
    tensors = {f"model.{name}": value for name, value in trainer.model.state_dict().items()}
    for index, state in trainer.optimiser.state.items():
        tensors |= {f"optimiser.{index}.{key}": value for key, value in state.items()}
    return tensors


def _restore(trainer: Trainer, tensors: dict[str, Tensor]) -> None:
    model = {name.removeprefix("model."): value for name, value in tensors.items() if name.startswith("model.")}
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimiser."):
            _, index, key = name.split(".", 2)
            state.setdefault(int(index), {})[key] = value
    trainer.model.load_state_dict(model)
    trainer.optimiser.load(state)


def fingerprint(trainer: Trainer) -> dict[str, object]:
    """What bit-identity depends on: equal fingerprints promise equal bytes after a resume."""
    return {
        "torch": torch.__version__,
        "device": trainer.device.type,
        "device_name": torch.cuda.get_device_name() if trainer.device.type == "cuda" else "",
        "processor": torch.backends.cpu.get_cpu_capability(),
        "precision": str(trainer.precision).removeprefix("torch."),
        "threads": torch.get_num_threads(),
    }
