"""Runs on disk: one self-contained folder each, without pickle, written atomically."""

from bnvae.runs.progress.status import RunState, Status
from bnvae.runs.run import Run
from bnvae.runs.storage.atomic_files import BrokenRunError
from bnvae.runs.store import RunStore, default_root

__all__ = ["BrokenRunError", "Run", "RunState", "RunStore", "Status", "default_root"]
