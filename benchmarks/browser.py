"""The real app on a free port, and a headless Chromium, for what a visitor would measure."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[1]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]

DRAWN_BARS = """count => {
  const shadows = [...document.querySelectorAll('*')].map(node => node.shadowRoot).filter(root => root);
  const charts = shadows.flatMap(root => [...root.querySelectorAll('[data-testid="kl-bars"]')]);
  const drawn = charts.filter(chart => [...chart.querySelectorAll('[data-testid="alive"], [data-testid="dead"]')].some(
    path => (path.getAttribute('d') ?? '').length > 0));
  return drawn.length >= count;
}"""
"""JavaScript: whether so many charts show bars, whatever their height"""


@dataclass(frozen=True)
class Server:
    address: str
    pid: int
    answering_seconds: float
    """from the start of the process to its first answer, that it is well"""

    @property
    def resident_bytes(self) -> int:
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    @property
    def processor_seconds(self) -> float:
        """Used so far by the server itself, without its workers."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(checkpoints: Path, app: str = "app.py") -> Iterator[Server]:
    """A fresh server over a folder of runs; ended afterwards. Workers it started go on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--server.headless=true", "--server.address=127.0.0.1", "--browser.gatherUsageStats=false"]
    started = time.perf_counter()
    server = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", app, f"--server.port={port}", *options],
        cwd=ROOT,
        env=os.environ | {"BNVAE_CHECKPOINTS": str(checkpoints), "BNVAE_MAPS": "0"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_answering(port, server)
        yield Server(f"http://127.0.0.1:{port}", server.pid, time.perf_counter() - started)
    finally:
        server.terminate()
        server.wait(20)


def _wait_until_answering(port: int, server: "subprocess.Popen[bytes]") -> None:
    # A connection alone says little: it is accepted before the server has imported what it needs.
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"the server ended with {server.returncode}")
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=60).close()
            return
        time.sleep(0.02)
    raise RuntimeError("the server did not answer within a minute")


def chromium_path() -> str:
    """Raises RuntimeError if there is no Chromium."""
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not executable:
        raise RuntimeError("no Chromium: install the system package `chromium`, or set CHROMIUM to its path")
    return executable


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        yield browser
        browser.close()
