"""A disk that fills up while a training is watched: the page says so, names the file, and goes on with the training."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from bnvae.jobs import launch
from bnvae.runs import Run, RunStore
from tests.browser.watching import SECOND, watched
from tests.pages.reading import small

if sys.platform != "linux":
    pytest.skip("limits of another process and small file systems of Linux", allow_module_level=True)
import resource

REFUSED = re.compile(r"Waiting: [a-z0-9_.-]+ can't be written \((No space left on device|File too large)\)")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A folder: of a file system of 4 MiB, where one may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(folder)]
    subprocess.run(mount, capture_output=True, check=False)
    yield folder
    if folder.is_mount():
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def run(disk: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """One that trains for long, in a worker of its own."""
    monkeypatch.setenv("BNVAE_CHECKPOINTS", str(disk))
    run = RunStore(disk).create("on-a-small-disk", small("digits", "rms-scaler", 4, epochs=100_000))
    launch.submit(run, threads=1)
    yield run
    with suppress(ProcessLookupError):
        os.kill(pid_of(run), signal.SIGKILL)


def pid_of(run: Run) -> int:
    return int((run.folder / launch.PID).read_text())


@contextmanager
def no_room(run: Run) -> Iterator[None]:
    """Nothing more can be written within: by anybody on the small disk, or else by the worker to any file."""
    if run.folder.parent.is_mount():
        filler = run.folder.parent / ".filler"
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(bytes(4096)):
                pass
        yield
        filler.unlink()
    else:
        _, most = resource.prlimit(pid_of(run), resource.RLIMIT_FSIZE)
        resource.prlimit(pid_of(run), resource.RLIMIT_FSIZE, (1, most))
        yield
        resource.prlimit(pid_of(run), resource.RLIMIT_FSIZE, (most, most))


def shown_step(page: Page) -> int:
    words = page.get_by_text(re.compile(r"step [\d,]+ of [\d,]+")).first.text_content() or ""
    found = re.search(r"step ([\d,]+) of", words)
    return int(found[1].replace(",", "")) if found else 0


def wait_for_step(page: Page, least: int) -> None:
    """Until the page shows so many steps."""
    end = time.monotonic() + 60
    while shown_step(page) < least:
        assert time.monotonic() < end, "waited in vain"
        page.wait_for_timeout(100)


def test_a_disk_that_fills_up_is_said_on_the_page_and_the_training_goes_on_when_there_is_room(
    browser: Browser, serve: Callable[[str], str], run: Run
) -> None:
    address = serve("app.py")
    with watched(browser) as page:
        page.goto(f"{address}/train?runs={run.id}")
        wait_for_step(page, 10)
        with no_room(run):
            notice = page.get_by_text(REFUSED).first
            expect(notice).to_be_visible()
            expect(notice).to_contain_text("Training goes on by itself when there is room.")
            expect(page.get_by_text(re.compile(r"^paused · step"))).to_be_visible()
            if picture := os.environ.get("BNVAE_PICTURES"):
                page.screenshot(path=f"{picture}/full-disk.png")
            recorded = [record.step for record in run.history().steps]
        wait_for_step(page, recorded[-1] + 20)
        expect(page.get_by_text(REFUSED)).to_have_count(0, timeout=10 * SECOND)
        page.locator(f".st-key-stop-{run.id}").get_by_role("button").click()
        expect(page.get_by_text(re.compile(r"^stopped · step"))).to_be_visible()
    steps = [record.step for record in run.history().steps]
    assert steps == sorted(set(steps))
    assert steps[: len(recorded)] == recorded
