from collections.abc import Iterator
from pathlib import Path

import pytest

from bnvae.data.download.url_guard import ALLOW_PRIVATE
from tests.data.web import Web, serving


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder, so that no test sees the machine's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("BNVAE_DATA", str(folder))
    return folder


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """A file server on this machine, which the library may reach."""
    monkeypatch.setenv(ALLOW_PRIVATE, "1")
    monkeypatch.setattr("bnvae.data.download.fetch._PAUSE_SECONDS", 0.0)
    with serving() as web:
        yield web
