"""A user's own data at a glance, before anything is trained on it: bounded work, refused in the loaders' words."""

import itertools
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bnvae.config.schema import DataConfig
from bnvae.data.custom.custom_file import here, is_address
from bnvae.data.custom.custom_text import columns_of, decoded, empty, rows_of
from bnvae.data.custom.image_folders import named_splits
from bnvae.data.custom.text_columns import Columns
from bnvae.data.custom.text_files import TextFile, text_files
from bnvae.data.images.decode_image import FORMATS, decode_picture, is_picture
from bnvae.data.images.image_sources import MOST_TOTAL_BYTES, PictureZip, directory_bytes
from bnvae.data.limits import check_enough

GLANCE_BYTES = 1 << 16
MOST_ENTRIES = 2_000
"""of a folder that are looked at; beyond, what it holds is told from those"""
MOST_DIRECTORY_BYTES = 1 << 20
MOST_PICTURE_BYTES = 1 << 24
"""a larger picture is not decoded for a glance"""
SHOWN_LETTERS = 60
LATER = "It is looked at when training starts."


def first_look(config: DataConfig) -> str:
    """What is found at `path`, in one sentence; empty for data that is not a user's own.

    Raises:
        ValueError: as far as a glance can tell, nothing can be trained on it; the message names path and remedy.
    """
    if config.name not in _LOOKS:
        return ""
    try:
        return _LOOKS[config.name](config)
    except OSError as error:
        raise ValueError(f"path is {config.path!r}: it cannot be read ({error.strerror}).") from None


def _text(config: DataConfig) -> str:
    with text_files(config, progress=None) as files:
        if files is None:
            return f"An https address. {LATER}"
        heads = {split: _head(file) for split, file in files.items()}
    columns = columns_of({split: text for split, (text, _) in heads.items() if text}, files, config)
    said = {
        split: _said(text, more, files[split], config, columns.get(split), split=split)
        for split, (text, more) in heads.items()
    }
    others = [split for split in ("validation", "test") if split in said]
    if not others:
        return said["training"]
    return f"{said['training']}. There {'are files' if others[1:] else 'is a file'} for {' and '.join(others)}."


def _head(file: TextFile) -> tuple[str, bool]:
    """The whole lines that a file begins with, and whether there are more; empty where the first line is long."""
    content = file.read(GLANCE_BYTES + 1)
    head, more = content[:GLANCE_BYTES], len(content) > GLANCE_BYTES
    if more:  # the last line, and perhaps the last letter, is cut
        head = head[: head.rfind(b"\n") + 1]
    return decoded(head, file.path, field=file.field), more


def _said(text: str, more: bool, file: TextFile, config: DataConfig, columns: Columns | None, *, split: str) -> str:
    """What the beginning of a file holds."""
    if more and not text:
        return f"Its first line is long. {LATER}"
    rows = rows_of(text, file, config, columns)
    found = [line for line, _ in itertools.islice(rows, 1 if more else None) if line]
    if not more and split == "training":
        check_enough(len(found), path=config.path, what="lines with text")
    if not more and not found:
        raise empty(file)
    if not found:
        return f"Its first line is empty. {LATER}"
    return f"Its first sentence: {found[0][:SHOWN_LETTERS]}" + ("…" if len(found[0]) > SHOWN_LETTERS else "")


def _pictures(config: DataConfig) -> str:
    folder = os.path.expanduser(config.path)
    if is_address(config.path) or not os.path.isdir(folder):
        if not is_address(config.path) and not os.path.exists(folder):
            raise ValueError(f"path is {config.path!r}: there is nothing of that name; give the full path of a folder.")
        return _archive(config)
    entries = list(itertools.islice(_entries(Path(folder)), MOST_ENTRIES))
    names = [name for name in entries if is_picture(name)]
    whole = len(entries) < MOST_ENTRIES
    if whole:
        check_enough(len(names), path=config.path, what=f"pictures ({', '.join(FORMATS)})")
    if not names:
        return f"No picture among its first {MOST_ENTRIES:,} entries. {LATER}"
    file = Path(folder, names[0])
    own = sorted(set(named_splits(names, config.path) or ()) if whole else ())
    # Not even opened, if it is no plain file: to open a pipe is to wait for somebody who writes.
    if stat.S_ISREG(file.stat().st_mode) and file.stat().st_size <= MOST_PICTURE_BYTES:
        decode_picture(file.read_bytes(), name=names[0], side=8)
    return f"A folder of {len(names):,} pictures{'' if whole else ' and more'}." + _other_splits(config, own)


def _other_splits(config: DataConfig, own: Sequence[str]) -> str:
    """The splits that have pictures of their own, as a sentence; empty where there is only one path."""
    for field in ("validation_path", "test_path"):
        path = getattr(config, field)
        if path and not os.path.isdir(os.path.expanduser(path)):
            try:
                here(path, suffixes=(".zip",), most_bytes=MOST_TOTAL_BYTES)
            except ValueError as error:
                raise ValueError(f"{field}: {error}") from None
    held = [split for split in ("validation", "test") if split in own or getattr(config, f"{split}_path")]
    return f" There are pictures of their own for {' and '.join(held)}." if held else ""


def _entries(folder: Path) -> Iterator[str]:
    """Names below a folder with forward slashes, one at a time; empty for a folder in it. Links are not followed."""
    waiting = [folder]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                    yield ""
                else:
                    yield Path(entry.path).relative_to(folder).as_posix()


def _archive(config: DataConfig) -> str:
    file = here(config.path, suffixes=(".zip",), most_bytes=MOST_TOTAL_BYTES)
    if file is None:
        return f"An https address. {LATER}"
    if directory_bytes(file) > MOST_DIRECTORY_BYTES:
        return f"A large .zip. {LATER}"
    with PictureZip(file) as archive:
        check_enough(len(archive.names), path=config.path, what=f"pictures ({', '.join(FORMATS)})")
        own = sorted(set(named_splits(archive.names, config.path) or ()))
        return f"A .zip of {len(archive.names):,} pictures." + _other_splits(config, own)


_LOOKS: dict[str, Callable[[DataConfig], str]] = {"text": _text, "images": _pictures}
