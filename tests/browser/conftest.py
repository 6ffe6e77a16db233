"""A Streamlit server and a Chromium for tests of what a visitor sees."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[2]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not executable:
        reason = "no Chromium: install the system package `chromium` or set CHROMIUM to its path"
        if os.environ.get("BNVAE_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def quiet_page(browser: Browser) -> Callable[[], AbstractContextManager[Page]]:
    """Opens pages that fail the test if anything was logged as an error in their console."""

    @contextmanager
    def open_page() -> Iterator[Page]:
        errors: list[str] = []
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(20_000)
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
        page.close()
        assert not errors, errors

    return open_page


@pytest.fixture
def page(quiet_page: Callable[[], AbstractContextManager[Page]]) -> Iterator[Page]:
    with quiet_page() as page:
        yield page


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Starts Streamlit on a script, given as text, or on a file of the project; returns its address."""
    servers: list[subprocess.Popen[bytes]] = []

    def start(script: str) -> str:
        folder = tmp_path_factory.mktemp("app")
        file = ROOT / script
        if not script.endswith(".py"):
            file = folder / "script.py"
            file.write_text(script, encoding="utf-8")
        port = _free_port()
        options = ["--server.headless=true", "--server.address=127.0.0.1", "--browser.gatherUsageStats=false"]
        command = [sys.executable, "-m", "streamlit", "run", str(file), f"--server.port={port}", *options]
        with (folder / "server.log").open("wb") as log:
            environment = os.environ | {"PYTHONPATH": str(ROOT)}
            servers.append(subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env=environment))
        _wait_until_listening(port, servers[-1], folder / "server.log")
        return f"http://127.0.0.1:{port}"

    yield start
    for server in servers:
        server.terminate()
        server.wait(10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_listening(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if server.poll() is not None:
            pytest.fail(f"the server ended: {log.read_text()}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail(f"the server did not listen in a minute: {log.read_text()}")
