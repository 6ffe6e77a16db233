"""What the server does before it listens."""

import subprocess
import sys
from pathlib import Path

from tests.pages.reading import ROOT

PROGRAM = """
import asyncio, gc, sys
import streamlit as st
from pages.shared.startup import starting

async def start():
    async with starting(st.App("app.py")):
        print(gc.get_freeze_count() > 100_000, "torch" in sys.modules, "umap" in sys.modules)

asyncio.run(start())
"""


def test_what_is_imported_for_good_is_kept_from_the_collector_which_runs_after_every_script(tmp_path: Path) -> None:
    environment = {"BNVAE_CHECKPOINTS": str(tmp_path), "PYTHONPATH": str(ROOT), "BNVAE_MAPS": "0"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.split() == ["True", "True", "False"]
