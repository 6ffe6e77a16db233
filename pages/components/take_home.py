"""Files that are made when somebody asks for them, and arrive however often the page is run again meanwhile.

`st.download_button` with a function gives its button a new address in every run of the script and forgets the old ones:
a click that meets a run gets nothing and an error. Here the wish is a state of the page, which a rerun keeps, and the
answer is sent with every run until the browser has said that it has it.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import streamlit as st

from pages.components.assets import joined

_component = st.components.v2.component(
    "bnvae_take_home", js=joined("chart.js", "take_home.js"), css=joined("chart.css", "take_home.css")
)


@final
@dataclass(frozen=True, kw_only=True)
class Offered:
    """A small file that can be had: all of it goes through the page's connection at once."""

    title: str
    caption: str
    file_name: str
    """different for each"""
    make: Callable[[], bytes]
    """a ValueError or an OSError of it, as of a run that was deleted meanwhile, is said beside the button"""


@st.fragment
def take_home(*, key: str, label: str, files: Sequence[Offered]) -> None:
    """A line and a button for each file; only what is asked for is made."""
    before = st.session_state.get(key)
    wish = wanted(before if isinstance(before, Mapping) else {}, [each.file_name for each in files])
    _component(
        key=key,
        data={
            "label": label,
            "files": [{"title": each.title, "caption": each.caption, "name": each.file_name} for each in files],
            "sent": None if wish is None else _made(wish[0], next(each for each in files if each.file_name == wish[1])),
        },
        default={"asked": None, "got": None},
        on_asked_change=_nothing,
        on_got_change=_nothing,
    )


def wanted(state: Mapping[str, Any], names: Sequence[str]) -> tuple[int, str] | None:
    """The number of the wish that is still open and the file it is for; None for none.

    A browser may send anything: what is no wish for one of these files is none.
    """
    asked = state.get("asked")
    if not isinstance(asked, Mapping) or asked.get("name") not in names:
        return None
    number = asked.get("number")
    if type(number) is not int or number == state.get("got"):
        return None
    return number, asked["name"]


def _made(number: int, file: Offered) -> dict[str, Any]:
    answer: dict[str, Any] = {"number": number, "name": file.file_name, "content": "", "problem": ""}
    try:
        return answer | {"content": base64.b64encode(file.make()).decode()}
    except (OSError, ValueError) as error:
        return answer | {"problem": str(error)}


def _nothing() -> None:
    """Streamlit keeps a value only if something is called when it changes."""
