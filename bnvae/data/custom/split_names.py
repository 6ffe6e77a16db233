"""Which split a file or a folder of a user's own data is, by its name: train, valid or val or dev, test."""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

SPLITS = {"train": "training", "valid": "validation", "val": "validation", "dev": "validation", "test": "test"}
"""the names that files and folders of splits have, and the split that each names"""


def split_of(name: str) -> str | None:
    """The split that a file or folder of this name is, by what stands before its first dot; None if it names none."""
    return SPLITS.get(name.split(".")[0].lower())


def below_shared(names: Sequence[str]) -> list[tuple[str, ...]]:
    """The parts of each path, below the folders that all of them share."""
    parts = [PurePosixPath(name).parts for name in names]
    shared = 0
    while names and all(len(own) > shared + 1 and own[shared] == parts[0][shared] for own in parts):
        # A picture of every class may be all of a data set: its folder is that of a split, and not passed over.
        if split_of(parts[0][shared]):
            break
        shared += 1
    return [own[shared:] for own in parts]


def check_training(path: str, found: Mapping[str, object], *, what: str) -> None:
    """Refuses data with a file or folder for validation or testing and none for training.

    Raises:
        ValueError: the training split is missing.
    """
    if "training" not in found:
        raise ValueError(f"path is {path!r}: it holds {what} for {' and '.join(sorted(found))} and none named train.")
