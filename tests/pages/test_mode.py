"""A public demonstration server: visitors look, and change nothing."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.mode import may_change

ROOT = Path(__file__).resolve().parents[2]
CHANGES = ("Train", "Start the race", "Rename", "Delete it", "Take it in", "Stop", "Go on", "Pause", "Start")


@pytest.fixture(autouse=True)
def demonstration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNVAE_MODE", "demo")


@pytest.mark.parametrize("page", ["overview", "train", "race", "replay", "map", "samples", "compare", "runs"])
def test_a_demonstration_offers_nothing_that_changes_a_run(page: str) -> None:
    app = AppTest.from_file(str(ROOT / "pages" / f"{page}.py"), default_timeout=60).run()
    assert not app.exception
    assert not [button.label for button in app.button if button.label in CHANGES]


def test_an_unknown_mode_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNVAE_MODE", "classroom")
    with pytest.raises(ValueError, match="BNVAE_MODE is 'classroom'"):
        may_change()
