"""A run as one .zip: to hand to someone, and to take in from a stranger."""

import io
import re
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from bnvae.data.dataset import TextShape
from bnvae.runs.artifacts import snapshots
from bnvae.runs.derived.codes import read_codes
from bnvae.runs.derived.kept_example_figures import EXAMPLE_FIGURES, read_example_figures
from bnvae.runs.derived.projected_rows import read_mapped
from bnvae.runs.derived.stored_projection import read_maps
from bnvae.runs.progress.history import HISTORY
from bnvae.runs.run import Run
from bnvae.runs.storage.atomic_files import MIB, BrokenRunError, sync_folder
from bnvae.runs.store import RunStore, check_id

EXPORTED = (
    "config.json",
    "data.json",
    "status.json",
    "environment.json",
    "steering.json",
    "origin.json",
    HISTORY,
    "weights.safetensors",
    "description.json",
    "arrays.npz",
    "tokenizer.json",
    "examples.npz",
    "encodings.npz",
    "projection.npz",
    "mapped.npz",
    "preview.npz",
    "evaluation.json",
    EXAMPLE_FIGURES,
)
"""Files that make up a run for a reader. The trainer's own state stays behind: a stranger's run is looked at."""
EXPORTED_SNAPSHOT = re.compile(rf"{snapshots.FOLDER}/[0-9]{{9}}\.npz")
"""The album is exported as well."""

LARGEST_ARCHIVE_BYTES = 256 * MIB
LARGEST_EXPANDED_BYTES = 512 * MIB
MOST_ENTRIES = 64


def export_run(run: Run) -> bytes:
    """The run as the bytes of a .zip with one folder named after it.

    Raises:
        ValueError: the run has no weights yet.
    """
    if not (run.has_weights or run.is_arrays):
        raise ValueError(f"run {run.id!r} has no weights yet: let it train until its first evaluation.")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        album = [f"{snapshots.FOLDER}/{path.name}" for path in sorted((run.folder / snapshots.FOLDER).glob("*.npz"))]
        for name in (*EXPORTED, *filter(EXPORTED_SNAPSHOT.fullmatch, album)):
            path = run.folder / name
            if path.is_file() and not path.is_symlink():
                archive.write(path, f"{run.id}/{name}")
    return buffer.getvalue()


def import_run(store: RunStore, content: bytes, run_id: str | None = None) -> Run:
    """Take in a .zip written by `export_run`, under its own name or a free variant of it.

    Raises:
        ValueError: the archive is not one run, is damaged, too large, or its parts don't fit; nothing is kept.
    """
    if len(content) > LARGEST_ARCHIVE_BYTES:
        raise ValueError(f"the archive has {len(content)} bytes: at most {LARGEST_ARCHIVE_BYTES} are taken.")
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise ValueError(f"this is not a .zip archive ({error}): upload one that this app wrote.") from None
    with archive:
        name, members = _members(archive)
        with store.aside("import") as aside:
            folder = aside / "run"
            folder.mkdir()
            _extract(archive, members, folder)
            _check(Run(folder))
            run_id = store.free_id(check_id(run_id or name))
            folder.rename(store.root / run_id)
    sync_folder(store.root)
    return Run(store.root / run_id)


def _members(archive: zipfile.ZipFile) -> tuple[str, dict[str, zipfile.ZipInfo]]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > MOST_ENTRIES:
        raise ValueError(f"the archive has {len(entries)} files: a run has at most {MOST_ENTRIES}.")
    members: dict[str, zipfile.ZipInfo] = {}
    folders = set()
    for entry in entries:
        path = PurePosixPath(entry.filename)
        name = "/".join(path.parts[1:])
        expected = len(path.parts) == 2 or EXPORTED_SNAPSHOT.fullmatch(name)
        if not expected or ".." in path.parts or path.is_absolute() or "\\" in entry.filename:
            raise ValueError(f"the archive holds {entry.filename!r}: expected one folder with a run's files.")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise ValueError(f"the archive holds {entry.filename!r}, a link: only plain files are taken.")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"the archive packs {entry.filename!r} in an unusual way: re-pack it as a plain .zip.")
        folders.add(path.parts[0])
        if name in EXPORTED or EXPORTED_SNAPSHOT.fullmatch(name):
            members[name] = entry
    if len(folders) != 1 or "config.json" not in members:
        raise ValueError("the archive is not one run: expected one folder with config.json and weights.safetensors.")
    return folders.pop(), members


def _extract(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], folder: Path) -> None:
    left = LARGEST_EXPANDED_BYTES
    (folder / snapshots.FOLDER).mkdir()
    for name, entry in members.items():
        try:
            with archive.open(entry) as source, (folder / name).open("wb") as target:
                # Counted while reading: the size an entry declares may be a lie.
                while block := source.read(min(MIB, left + 1)):
                    left -= len(block)
                    if left < 0:
                        raise ValueError(f"the archive expands to more than {LARGEST_EXPANDED_BYTES} bytes: refused.")
                    target.write(block)
        except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError) as error:
            raise ValueError(f"{name} in the archive cannot be read: {error}.") from None


def _check(run: Run) -> None:
    """Read every part once, so that a broken run is refused at the door instead of on a page."""
    try:
        if run.config.source == "arrays":
            read_codes(run)
        else:
            run.load_model()
        for part in (
            lambda: run.examples,
            lambda: run.steered_config,
            run.encodings,
            run.history,
            run.preview,
            run.snapshots,
            run.evaluation,
            lambda: read_example_figures(run, None, None),
            lambda: _check_maps(run),
        ):
            part()
        _check_tokenizer(run)
    except BrokenRunError as error:
        raise ValueError(f"the archive holds a broken run: {str(error).replace(run.id + '/', '')}") from None
    status = run.status
    if status.alive or status.state in ("interrupted", "broken"):
        run.write_status(status.replace(state="stopped", message="Imported while it was being trained."))


def _check_maps(run: Run) -> None:
    if run.has_encodings:
        count = len(run.encodings()[1])
        read_maps(run, count=count)
        read_mapped(run, count=count)


def _check_tokenizer(run: Run) -> None:
    shape, tokenizer = run.card.shape, run.tokenizer
    if not isinstance(shape, TextShape):
        return
    if tokenizer is None:
        raise BrokenRunError("tokenizer.json is missing.")
    if (size := tokenizer.get_vocab_size()) != shape.vocabulary_size:
        raise BrokenRunError(f"tokenizer.json has {size} tokens, data.json {shape.vocabulary_size}.")
