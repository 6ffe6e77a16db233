"""What the folders of a user's own pictures say: splits where they are named so, and labels."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import final

from bnvae.data.custom.split_names import below_shared, check_training, split_of
from bnvae.data.images.image_sources import PictureSource


@final
@dataclass(frozen=True, kw_only=True)
class Picture:
    """One picture, before it is read."""

    source: PictureSource
    name: str
    label: str
    """empty: none"""


def named_splits(names: Sequence[str], path: str) -> list[str] | None:
    """The split of each picture, where folders are named train, valid (val, dev) or test; None where none is.

    A folder that is called so beside folders of other names is a label like them, unless one is called train.

    Raises:
        ValueError: pictures are beside the folders of splits, or there is none for training.
    """
    below = below_shared(names)
    splits = [split_of(parts[0]) if len(parts) > 1 else None for parts in below]
    named = [split for split in splits if split is not None]
    if not named or ("training" not in named and len(named) < len(splits)):
        return None
    if len(named) < len(splits):
        raise ValueError(
            f"path is {path!r}: {names[splits.index(None)]!r} is in none of the folders train, valid and test, and "
            "others are; move it there, or take it out."
        )
    check_training(path, dict.fromkeys(named), what="folders")
    return named


def split_folders(source: PictureSource, path: str) -> dict[str, list[Picture]]:
    """The pictures of each split that has a folder; else all for training.

    Raises:
        ValueError: as `named_splits`, or the folder of a split is empty.
    """
    splits = named_splits(source.names, path)
    if splits is None:
        return {"training": _pictures(source, source.names, _labels(source.names))}
    below = below_shared(source.names)
    _check_filled(source, path, below, splits)
    labels = _labels(["/".join(parts[1:]) for parts in below])
    found: dict[str, list[Picture]] = {}
    for picture, split in zip(_pictures(source, source.names, labels), splits, strict=True):
        found.setdefault(split, []).append(picture)
    return found


def pictures_at(source: PictureSource, known: Collection[str]) -> list[Picture]:
    """The pictures of a split that has a path of its own: labelled by the folder that is one of the `known` labels."""
    labels = []
    for name, usual in zip(source.names, _labels(source.names), strict=True):
        labels.append(next((part for part in PurePosixPath(name).parent.parts if part in known), usual))
    return _pictures(source, source.names, labels)


def _pictures(source: PictureSource, names: Sequence[str], labels: Sequence[str]) -> list[Picture]:
    return [Picture(source=source, name=name, label=label) for name, label in zip(names, labels, strict=True)]


def _check_filled(source: PictureSource, path: str, below: Sequence[tuple[str, ...]], named: Collection[str]) -> None:
    shared = len(PurePosixPath(source.names[0]).parts) - len(below[0])
    for folder in source.folders:
        parts = PurePosixPath(folder).parts
        split = split_of(parts[-1]) if len(parts) == shared + 1 else None
        if split is not None and split not in named:
            raise ValueError(f"path is {path!r}: folder {folder!r} holds no pictures; fill it, or take it away.")


def _labels(names: Sequence[str]) -> list[str]:
    """The first sub-folder of each picture, below the folders that all share; empty for a picture in none."""
    folders = [PurePosixPath(name).parent.parts for name in names]
    shared = 0
    while names and all(len(parts) > shared and parts[shared] == folders[0][shared] for parts in folders):
        shared += 1
    return [parts[shared] if len(parts) > shared else "" for parts in folders]
