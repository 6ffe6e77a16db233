"""What a visitor uploads, or a terminal names: a run's archive, weights with their description, or arrays."""

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import PurePath, PurePosixPath

from bnvae.importers.arrays import bring_arrays
from bnvae.importers.foreign_checkpoint import bring_checkpoint, read_safetensors
from bnvae.runs.export.archive import LARGEST_ARCHIVE_BYTES, LARGEST_EXPANDED_BYTES, import_run
from bnvae.runs.run import Run
from bnvae.runs.storage.atomic_files import MIB
from bnvae.runs.store import RunStore, check_id

ENDINGS = (".zip", ".npz", ".safetensors", ".json")
LARGEST_DESCRIPTION_BYTES = MIB
WANTED = (
    "give one .zip of a run, one .npz of arrays, or the weights as .safetensors with their description as .json, as "
    "two files or in one .zip"
)


def bring_in(store: RunStore, files: Sequence[tuple[str, bytes]], run_id: str = "") -> Run:
    """A run from files as (name, content), under `run_id`, or under a free name made from the file's.

    Raises:
        ValueError: they are none of what is taken, too large, or refused; nothing is kept.
    """
    total = sum(len(content) for _, content in files)
    if total > LARGEST_ARCHIVE_BYTES:
        raise ValueError(f"the files have {total:,} bytes: at most {LARGEST_ARCHIVE_BYTES:,} are taken.")
    if run_id:
        check_id(run_id)
    kinds = sorted(PurePath(name).suffix.lower() for name, _ in files)
    if kinds == [".zip"]:
        (name, content), *_ = files
        pair = _pair(content)
        if pair is None:
            return import_run(store, content, run_id or None)
        files = [*pair.items()]
        kinds = sorted(PurePath(name).suffix.lower() for name in pair)
    if kinds == [".npz"]:
        ((name, content),) = files
        return bring_arrays(store, run_id or _free(store, name), content, file=PurePath(name).name)
    if kinds == [".json", ".safetensors"]:
        by_kind = {PurePath(name).suffix.lower(): (name, content) for name, content in files}
        name, weights = by_kind[".safetensors"]
        description = described(by_kind[".json"][1])
        return bring_checkpoint(store, run_id or _free(store, name), description, read_safetensors(weights))
    raise ValueError(f"{', '.join(name for name, _ in files) or 'nothing'}: {WANTED}.")


def described(content: bytes) -> str:
    """The text of a description.

    Raises:
        ValueError: it is too large, or no UTF-8.
    """
    if len(content) > LARGEST_DESCRIPTION_BYTES:
        raise ValueError(f"the description has {len(content):,} bytes: at most {LARGEST_DESCRIPTION_BYTES:,} are read.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"the description is not UTF-8 ({error}).") from None


def _free(store: RunStore, name: str) -> str:
    return store.free_id(PurePath(name).stem)


def _pair(content: bytes) -> Mapping[str, bytes] | None:
    """Weights and description out of a .zip that holds one of each and nothing else; None for any other .zip."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            kinds = sorted(PurePosixPath(entry.filename).suffix.lower() for entry in entries)
            if kinds != [".json", ".safetensors"]:
                return None
            if (expanded := sum(entry.file_size for entry in entries)) > LARGEST_EXPANDED_BYTES:
                raise ValueError(
                    f"the .zip expands to {expanded:,} bytes: at most {LARGEST_EXPANDED_BYTES:,} are read."
                )
            # A zip's own reader stops at the size that was declared.
            return {PurePosixPath(entry.filename).name: archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError, OSError) as error:
        raise ValueError(f"this is no .zip, or a damaged one ({error}).") from None
