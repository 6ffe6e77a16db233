"""What loses least where a training can't go on from its checkpoints."""

from pathlib import Path

from bnvae.runs.progress.history import HISTORY, ChangedHistoryError
from bnvae.runs.storage.atomic_files import BrokenRunError, UnreadableRunError


def unreadable(manifest_path: Path, said: list[str]) -> UnreadableRunError:
    """For a checkpoint that may be whole, and can't be read now."""
    others = [path.name for path in manifest_path.parent.glob("trainer-*.json") if path.name != manifest_path.name]
    older = f" If it never does, delete {manifest_path.name}: the other checkpoint is tried then." if others else ""
    return UnreadableRunError(
        "the checkpoint can't be read now, and nothing is lost by that: resume when its disk answers again and its "
        f"files may be read.{older} {' '.join(said)}"
    )


def remedy_of(errors: list[Exception]) -> tuple[type[BrokenRunError], str]:
    """For checkpoints none of which can be used."""
    if any(isinstance(error, ChangedHistoryError) for error in errors):
        return ChangedHistoryError, (
            f"what was learned is whole, but {HISTORY} is not: put it back from a copy and resume, or rename it and "
            "resume with curves that begin at the checkpoint. Until then the run can be looked at and evaluated."
        )
    return BrokenRunError, (
        "no checkpoint is usable: start a new run. What this one has published can still be looked at."
    )
