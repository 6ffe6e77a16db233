"""What a browser may send as a wish for a file."""

import pytest

from pages.components.take_home import Offered, _made, wanted

NAMES = ["one.zip", "two.zip"]


def test_a_wish_is_open_until_the_browser_has_what_it_is_for() -> None:
    asked = {"number": 7, "name": "two.zip"}
    assert wanted({"asked": asked, "got": None}, NAMES) == (7, "two.zip")
    assert wanted({"asked": asked, "got": 6}, NAMES) == (7, "two.zip")
    assert wanted({"asked": asked, "got": 7}, NAMES) is None


@pytest.mark.parametrize(
    "asked",
    [None, 7, "two.zip", [7, "two.zip"], {}, {"number": 7}, {"number": 7, "name": "../weights"}, {"name": "one.zip"},
     {"number": "7", "name": "one.zip"}, {"number": True, "name": "one.zip"}, {"number": 7, "name": ["one.zip"]}],
)  # fmt: skip
def test_what_is_no_wish_for_one_of_the_files_is_none(asked: object) -> None:
    assert wanted({"asked": asked}, NAMES) is None


@pytest.mark.parametrize(
    "error", [FileNotFoundError(2, "No such file", "config.json"), ValueError("no <b>weights</b>")]
)
def test_what_keeps_a_file_from_being_made_is_said_to_the_browser(error: Exception) -> None:
    def make() -> bytes:
        raise error

    file = Offered(title="one", caption="plain VAE", file_name="one.zip", make=make)
    assert _made(7, file) == {"number": 7, "name": "one.zip", "content": "", "problem": str(error)}
