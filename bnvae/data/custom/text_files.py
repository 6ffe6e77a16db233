"""Where a user's own sentences lie: one file, or one for each split, in a folder, a .zip or wherever each is named."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import final

from bnvae.config.schema import DataConfig
from bnvae.data.custom.custom_file import here, is_address, own_file
from bnvae.data.custom.split_names import below_shared, check_training, split_of
from bnvae.data.images.image_sources import PictureZip
from bnvae.data.limits import Progress

SUFFIXES = (".txt", ".csv", ".tsv", ".jsonl")
MOST_BYTES = 512 << 20
MOST_ENTRIES = 10_000
"""of a folder of text files; a folder of more is another one than was meant"""
FIELDS = {"training": "path", "validation": "validation_path", "test": "test_path"}
"""the setting that names the file of each split"""


@final
@dataclass(frozen=True, kw_only=True)
class TextFile:
    """One file, before it is read."""

    path: str
    """as it is shown in messages"""
    field: str
    """the setting that named it"""
    read: Callable[[int | None], bytes]
    """its bytes, or so many from its beginning"""

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.path.partition("?")[0]).suffix.lower()


def is_text(name: str) -> bool:
    """Whether the name says so; hidden files and the copies that macOS puts into archives are no texts."""
    path = PurePosixPath(name)
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
    return path.suffix.lower() in SUFFIXES and not hidden


@contextmanager
def text_files(config: DataConfig, progress: Progress | None) -> Iterator[dict[str, TextFile] | None]:
    """The file of each split that has one; without a split file the only one is that for training.

    Without `progress` nothing is downloaded, and None stands for files of which one is at an address.

    Raises:
        ValueError: there is no such file, folder or .zip, a split has two files, or training has none.
        DownloadError: an address cannot be downloaded from.
    """
    named = {FIELDS[split]: getattr(config, FIELDS[split]) for split in ("validation", "test")}
    found: dict[str, TextFile] = {}
    whole = _local(config.path, "path", (*SUFFIXES, ".zip"), progress)
    others = {
        field: _local(path, field, SUFFIXES, progress) for field, path in named.items() if path and path != config.path
    }
    for field, path in named.items():
        if path and path == config.path:
            raise ValueError(f"{field} is {path!r}: that is the path of the training examples; name another file.")
    if whole is None or None in others.values():
        yield None
        return
    if whole.is_dir():
        found = _in_folder(config.path, whole)
    elif whole.suffix.lower() == ".zip":
        with PictureZip(whole, wanted=is_text, what="text files", most_bytes=MOST_BYTES) as archive:
            names = {name: _entry(config.path, archive, name) for name in archive.names}
            yield _with_others(_by_split(config.path, names), config, others)
        return
    else:
        found = {"training": TextFile(path=config.path, field="path", read=_reader(whole))}
    yield _with_others(found, config, others)


def _local(path: str, field: str, suffixes: tuple[str, ...], progress: Progress | None) -> Path | None:
    try:
        if not is_address(path) and ".zip" in suffixes and os.path.isdir(folder := os.path.expanduser(path)):
            return Path(folder)
        if progress is None:
            return here(path, suffixes=suffixes, most_bytes=MOST_BYTES)
        return own_file(path, suffixes=suffixes, most_bytes=MOST_BYTES, progress=progress)
    except ValueError as error:
        raise (error if field == "path" else ValueError(f"{field}: {error}")) from None


def _in_folder(path: str, folder: Path) -> dict[str, TextFile]:
    root, names = folder.resolve(), dict[str, TextFile]()
    with os.scandir(root) as entries:
        for number, entry in enumerate(entries):
            if number >= MOST_ENTRIES:
                raise ValueError(f"path is {path!r}: it has more than {MOST_ENTRIES:,} entries; name the file in it.")
            if not is_text(entry.name):
                continue
            if not Path(entry.path).resolve().is_relative_to(root):
                raise ValueError(
                    f"path is {path!r}: {entry.name!r} is a link that leads out of the folder; copy the file there."
                )
            if entry.is_file():
                names[entry.name] = TextFile(
                    path=f"{path.rstrip('/')}/{entry.name}", field="path", read=_reader(root / entry.name)
                )
    return _by_split(path, names)


def _reader(file: Path) -> Callable[[int | None], bytes]:
    def read(most: int | None) -> bytes:
        if (size := file.stat().st_size) > MOST_BYTES:
            raise ValueError(f"path is {str(file)!r}: it has {size} bytes, more than the {MOST_BYTES} allowed.")
        with file.open("rb") as opened:
            return opened.read(most)

    return read


def _entry(path: str, archive: PictureZip, name: str) -> TextFile:
    return TextFile(path=f"{path}/{name}", field="path", read=lambda most: archive.read(name, most))


def _by_split(path: str, files: Mapping[str, TextFile]) -> dict[str, TextFile]:
    """The files that are called train, valid (val, dev) and test; or the only file there is."""
    names = sorted(files)
    if not names:
        raise ValueError(f"path is {path!r}: it holds no file that ends in one of {', '.join(SUFFIXES)}.")
    found: dict[str, str] = {}
    for name, parts in zip(names, below_shared(names), strict=True):
        if len(parts) > 1 or (split := split_of(parts[0])) is None:
            continue
        if split in found:
            raise ValueError(f"path is {path!r}: {found[split]!r} and {name!r} are both for {split}; take one out.")
        found[split] = name
    if not found and len(names) == 1:
        return {"training": files[names[0]]}
    if not found:
        few = ", ".join(map(repr, names[:5]))
        raise ValueError(f"path is {path!r}: it holds {few} and none named train; name one of them as the path.")
    check_training(path, found, what="files")
    return {split: files[name] for split, name in found.items()}


def _with_others(
    found: dict[str, TextFile], config: DataConfig, others: Mapping[str, Path | None]
) -> dict[str, TextFile]:
    """With the files that settings of their own name."""
    for split in ("validation", "test"):
        field = FIELDS[split]
        if (file := others.get(field)) is None:
            continue
        path = getattr(config, field)
        if split in found:
            raise ValueError(f"{field} is {path!r}: {found[split].path!r} is there for {split} too; leave one out.")
        found[split] = TextFile(path=path, field=field, read=_reader(file))
    return found
