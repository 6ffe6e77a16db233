"""The folder of all runs: listing, creating, renaming, deleting."""

import dataclasses
import errno
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Literal, final

from bnvae.config.schema import RunConfig
from bnvae.runs import groups
from bnvae.runs.progress.status import Status
from bnvae.runs.run import LEASE, Run
from bnvae.runs.storage.atomic_files import sync_folder, write_atomic
from bnvae.runs.storage.lock import hold, is_held
from bnvae.training.device import with_precision

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)

_GRAVE = ".deleted-"
_ASIDE = (".fork-", ".import-")
_REFUSED = ".refused-"
FORSAKEN_SECONDS = 3600.0
REFUSAL_SECONDS = 3600.0
"""for which a page may still ask why a training was refused"""


def default_root() -> Path:
    """`checkpoints/` beside the package, or where BNVAE_CHECKPOINTS points."""
    if configured := os.environ.get("BNVAE_CHECKPOINTS"):
        return Path(configured)
    return Path(__file__).resolve().parents[2] / "checkpoints"


def check_id(run_id: str) -> str:
    """Raises ValueError unless the id is a plain folder name on every system."""
    if not _ID.fullmatch(run_id) or run_id.endswith(".") or _RESERVED.fullmatch(run_id):
        raise ValueError(
            f"run is {run_id!r}: use 1 to 64 letters, digits, '.', '_' and '-', beginning with a letter or digit, not "
            "ending with a dot, and not a name that Windows reserves."
        )
    return run_id


def name_taken(run_id: str) -> ValueError:
    """What to raise where a run of that name is in the way."""
    return ValueError(f"run is {run_id!r}: that name is taken. Choose another, or delete that run.")


@final
class RunStore:
    def __init__(self, root: Path | None = None) -> None:
        self.root = root or default_root()

    def runs(self) -> list[Run]:
        """Every folder that holds a config.json, the newest change first; broken ones are listed as well."""
        if not self.root.is_dir():
            return []
        folders = [folder for folder in self.root.iterdir() if folder.name in self]
        return [Run(folder) for folder in sorted(folders, key=_last_change, reverse=True)]

    def groups(self) -> dict[str, list[Run]]:
        """The members of each sweep in the order of their tau; the sweep that changed last comes first."""
        return groups.groups(self.runs())

    def __contains__(self, run_id: str) -> bool:
        folder = self.root / run_id
        return bool(_ID.fullmatch(run_id)) and not folder.is_symlink() and (folder / "config.json").is_file()

    def get(self, run_id: str) -> Run:
        """Raises ValueError if there is no such run; the message lists those there are."""
        check_id(run_id)
        if run_id not in self:
            there = ", ".join(run.id for run in self.runs()) or "none"
            raise ValueError(f"run is {run_id!r}: there is none of that name in {self.root.name}/. There are: {there}.")
        return Run(self.root / run_id)

    def create(self, run_id: str, config: RunConfig, *, group: str | None = None) -> Run:
        """A new run, ready to be trained; with `group` a member of it. Its configuration names the precision chosen.

        Raises:
            ValueError: the name is refused or taken.
        """
        check_id(run_id)
        config = resolved(config)
        folder = self.root / run_id
        self.root.mkdir(parents=True, exist_ok=True)
        self.forget_refusal(run_id)
        try:
            folder.mkdir()
        except FileExistsError:
            raise name_taken(run_id) from None
        try:
            run = Run(folder)
            run.write_status(Status(state="stopped", message="Not started yet."))
            if group is not None:
                groups.join(folder, check_id(group))
            # Last: the folder counts as a run only from here on.
            write_atomic(folder / "config.json", config.to_json().encode())
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return run

    @contextmanager
    def making(self, run_id: str, config: RunConfig) -> Iterator[Run]:
        """A new run that is here under its name once the block has ended: whole, or not at all.

        Raises:
            ValueError: the name is refused or taken.
        """
        check_id(run_id)
        if (self.root / run_id).exists():
            raise name_taken(run_id)
        with self.aside("import") as aside:
            run = RunStore(aside).create(run_id, config)
            yield run
            try:
                run.folder.rename(self.root / run_id)
            except OSError as error:
                if error.errno in (errno.ENOTEMPTY, errno.EEXIST):  # taken a moment ago
                    raise name_taken(run_id) from None
                raise
        sync_folder(self.root)

    def free_id(self, wish: str) -> str:
        """`wish`, or `wish-2`, `wish-3`, ... if it is taken."""
        base = re.sub(r"[^A-Za-z0-9._-]+", "-", wish).strip("-._")[:56].rstrip("-._") or "run"
        number, candidate = 1, base
        while (self.root / candidate).exists():
            number += 1
            candidate = f"{base}-{number}"
        return check_id(candidate)

    def rename(self, run_id: str, new_id: str) -> Run:
        """Raises ValueError if the run is missing or being trained, or the new name is refused or taken."""
        run, target = self.get(run_id), self.root / check_id(new_id)
        with _idle(run, "renaming"):
            if target.exists():
                raise name_taken(new_id)
            run.folder.rename(target)
        return Run(target)

    def delete(self, run_id: str) -> None:
        """Raises ValueError if the run is missing or being trained."""
        run = self.get(run_id)
        with _idle(run, "deleting"):
            # Renamed first, so that a deletion that is interrupted leaves no half a run in the list.
            grave = Path(tempfile.mkdtemp(dir=self.root, prefix=_GRAVE))
            run.folder.rename(grave / run_id)
        self.clear_away()

    def withdraw(self, run: Run) -> None:
        """Take away a run that was refused before it began; why can be asked for an hour (`refusal`).

        The process that trains it calls this and holds its lock. A disk that refuses it leaves the run where it is.
        """
        assert not run.has_begun
        self.clear_away()
        self.forget_refusal(run.id)
        with suppress(OSError):
            run.folder.rename(self._refused(run.id))

    def refusal(self, run_id: str) -> str:
        """Why a run of this name was refused before it began; empty if none was."""
        if not _ID.fullmatch(run_id) or not self._refused(run_id).is_dir():
            return ""
        return Run(self._refused(run_id)).status.message

    def forget_refusal(self, run_id: str) -> None:
        shutil.rmtree(self._refused(run_id), ignore_errors=True)

    def _refused(self, run_id: str) -> Path:
        return self.root / f"{_REFUSED}{run_id}"

    @contextmanager
    def aside(self, kind: Literal["fork", "import"]) -> Iterator[Path]:
        """A folder beside the runs in which to make one, where nobody takes half of it for a run; gone afterwards."""
        self.root.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            made = tempfile.TemporaryDirectory(dir=self.root, prefix=f".{kind}-", ignore_cleanup_errors=True)
            folder = Path(stack.enter_context(made))
            stack.enter_context(hold(folder / LEASE))
            yield folder

    def clear_away(self) -> None:
        """Remove what deletions, branches and imports left that were killed half way."""
        for folder in self.root.glob(".*-*"):
            buried = folder.name.startswith(_GRAVE) and any(folder.iterdir())
            told = folder.name.startswith(_REFUSED) and time.time() - _last_change(folder) > REFUSAL_SECONDS
            if buried or told or (folder.name.startswith(_ASIDE) and _is_forsaken(folder)):
                shutil.rmtree(folder, ignore_errors=True)


def resolved(config: RunConfig) -> RunConfig:
    """The configuration as a new run of it is kept here: `auto` precision is what this machine chooses."""
    if config.is_brought:
        return config
    return dataclasses.replace(config, training=with_precision(config.training))


@contextmanager
def _idle(run: Run, doing: str) -> Iterator[None]:
    """Within, no worker can begin to train the run.

    Raises:
        ValueError: one trains it, or is about to.
    """
    refusal = f"run {run.id!r} is being trained: stop it before {doing} it."
    if run.is_held:
        raise ValueError(refusal)
    with ExitStack() as stack:
        try:
            stack.enter_context(run.hold())
        except BlockingIOError:
            raise ValueError(refusal) from None
        yield


def _is_forsaken(aside: Path) -> bool:
    """Whether nobody makes a run there any more; one without a lease yet may be a moment old."""
    lease = aside / LEASE
    if lease.exists():
        return not is_held(lease)
    return time.time() - aside.stat().st_mtime > FORSAKEN_SECONDS


def _last_change(folder: Path) -> float:
    try:
        return (folder / "status.json").stat().st_mtime
    except OSError:
        return 0.0
