"""Which visitor of a server started a run: beside the run, and not part of what is exported of it."""

from bnvae.runs.run import Run
from bnvae.runs.storage.atomic_files import BrokenRunError, read_json, write_json

VISITOR = "visitor.json"


def visitor_of(run: Run) -> str:
    """The id under which it was started; "" for a run that belongs to nobody but the server's owner."""
    if not (run.folder / VISITOR).exists():
        return ""
    try:
        return str(read_json(run.folder / VISITOR).get("visitor", ""))
    except BrokenRunError:
        return ""


def give_to(run: Run, visitor: str) -> None:
    """Let a visitor be the one who may stop, steer and delete it."""
    write_json(run.folder / VISITOR, {"visitor": visitor})
