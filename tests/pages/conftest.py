"""Small trained runs, a folder of them for each test, and pages run without a browser."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from bnvae.jobs.train_runs import train_run
from bnvae.runs import RunStore
from tests.pages.reading import ROOT, TRAINED, checked, small


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> RunStore:
    """Runs of both modalities with different heads and numbers of dimensions; look, don't touch."""
    store = RunStore(tmp_path_factory.mktemp("trained"))
    for name, (data, head, dimensions) in TRAINED.items():
        train_run(store.create(name, small(data, head, dimensions)))
    return store


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    """The folder that the pages look into, without runs."""
    root = tmp_path / "checkpoints"
    monkeypatch.setenv("BNVAE_CHECKPOINTS", str(root))
    # Their keys are names of runs, and another test's folder has the same names.
    st.cache_data.clear()
    st.cache_resource.clear()
    return RunStore(root)


@pytest.fixture
def runs(empty: RunStore, trained: RunStore) -> RunStore:
    """The folder that the pages look into, with a copy of each trained run."""
    shutil.copytree(trained.root, empty.root)
    return empty


@pytest.fixture
def visit() -> Callable[..., AppTest]:
    """Runs a page as an app of its own, or `app` for the app's first page; an exception on it fails the test."""

    def run(name: str, *ids: str, **params: str) -> AppTest:
        page = AppTest.from_file(str(ROOT / ("app.py" if name == "app" else f"pages/{name}.py")), default_timeout=60)
        if ids:
            page.query_params["runs"] = list(ids)
        for key, value in params.items():
            page.query_params[key] = value
        return checked(page.run())

    return run
