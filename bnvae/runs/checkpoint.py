"""A training's whole state, saved so that it can be killed at any moment and go on from there."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from bnvae.runs.files import BrokenRunError, read_bytes, read_json, write_atomic, write_json
from bnvae.runs.patience import insist
from bnvae.training import Trainer

SLOTS = 2
"""checkpoints kept: the newest, and the one before in case the newest is damaged"""
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
    return folder / f"trainer-{slot}.safetensors", folder / f"trainer-{slot}.json"


def save(folder: Path, trainer: Trainer, history_bytes: int, data_digest: str) -> None:
    """Write the training's state into the older of the slots.

    Call it when the trainer `is_settled`. The manifest goes last and has the hash of both, so a checkpoint is either
    whole or not there.
    """
    steps = {slot: manifest["step"] for slot, manifest in _manifests(folder)[0].items()}
    if trainer.step in steps.values():
        return
    slot = min(range(SLOTS), key=lambda index: steps.get(index, -1))
    tensors_path, manifest_path = _paths(folder, slot)
    content = save_tensors(_tensors(trainer))
    insist(lambda: manifest_path.unlink(missing_ok=True), manifest_path)
    write_atomic(tensors_path, content)
    manifest = {"step": trainer.step, "history_bytes": history_bytes, "data_digest": data_digest}
    write_json(manifest_path, {**manifest, "sha256": _hash(manifest, content)})


def restore(folder: Path, trainer: Trainer, data_digest: str) -> Position | None:
    """Put the newest undamaged checkpoint into the trainer; None if there is none.

    Raises:
        ValueError: the data set is not the one the checkpoint was trained on.
        BrokenRunError: every checkpoint is damaged.
    """
    manifests, damaged = _manifests(folder)
    skipped = [f"{path.name} passed over: it is damaged." for path in damaged]
    for slot, manifest in sorted(manifests.items(), key=lambda item: -item[1]["step"]):
        tensors_path, manifest_path = _paths(folder, slot)
        try:
            content = read_bytes(tensors_path, LARGEST_CHECKPOINT_BYTES)
            if _hash(manifest, content) != manifest.get("sha256"):
                raise BrokenRunError(
                    f"{tensors_path.name} does not match its hash: it was damaged after it was written."
                )
            if manifest["data_digest"] != data_digest:
                raise ValueError(
                    f"the data set has changed since step {manifest['step']}: its digest was "
                    f"{manifest['data_digest'][:12]} and is {data_digest[:12]}. Start a new run for the new data."
                )
            _restore(trainer, load_tensors(content))
        except (BrokenRunError, SafetensorError, KeyError, RuntimeError) as error:
            skipped.append(f"checkpoint of step {manifest['step']} passed over: {error}")
            damaged.append(manifest_path)
            continue
        # Else it would pass for the newest, and the next save would replace the good one.
        for path in damaged:
            path.unlink()
        trainer.step = int(manifest["step"])
        return Position(trainer.step, int(manifest["history_bytes"]), tuple(skipped))
    if skipped:
        raise BrokenRunError(f"no checkpoint is usable: start a new run. {' '.join(skipped)}")
    return None


def newest(folder: Path) -> tuple[dict[str, Any], bytes] | None:
    """Manifest and tensors of the newest undamaged checkpoint, also while a worker writes the next; None if none."""
    manifests = _manifests(folder)[0]
    while manifests:
        for slot, manifest in sorted(manifests.items(), key=lambda item: -item[1]["step"]):
            try:
                content = read_bytes(_paths(folder, slot)[0], LARGEST_CHECKPOINT_BYTES)
            except BrokenRunError:
                continue
            if _hash(manifest, content) == manifest.get("sha256"):
                return manifest, content
        before, manifests = manifests, _manifests(folder)[0]
        if manifests == before:
            return None
    return None


def place(folder: Path, manifest: dict[str, Any], tensors: bytes) -> None:
    """Put a checkpoint into a folder that has none."""
    tensors_path, manifest_path = _paths(folder, 0)
    write_atomic(tensors_path, tensors)
    write_json(manifest_path, manifest)


def _manifests(folder: Path) -> tuple[dict[int, dict[str, Any]], list[Path]]:
    """Those that can be read by their slot, whatever their hash; and the files of the others."""
    found, damaged = {}, []
    for slot in range(SLOTS):
        _, path = _paths(folder, slot)
        try:
            manifest = read_json(path)
        except BrokenRunError:
            if path.exists():
                damaged.append(path)
            continue
        if isinstance(manifest.get("step"), int) and isinstance(manifest.get("history_bytes"), int):
            found[slot] = manifest
        else:
            damaged.append(path)
    return found, damaged


def _hash(manifest: dict[str, Any], tensors: bytes) -> str:
    """Of all that a checkpoint says: a manifest is short, but a wrong step in it would do as much harm."""
    stated = json.dumps([manifest.get(name) for name in ("step", "history_bytes", "data_digest")])
    digest = hashlib.sha256(stated.encode())
    digest.update(tensors)
    return digest.hexdigest()


def _tensors(trainer: Trainer) -> dict[str, Tensor]:
    tensors = {f"model.{name}": value for name, value in trainer.model.state_dict().items()}
    for index, state in trainer.optimiser.state.items():
        tensors |= {f"optimiser.{index}.{key}": value for key, value in state.items()}
    # Tied or sliced tensors can't be stored by safetensors; a contiguous copy always can.
    return {name: value.detach().cpu().contiguous() for name, value in tensors.items()}


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
