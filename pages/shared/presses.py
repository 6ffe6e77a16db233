"""Buttons whose presses count, whatever interrupts the drawing of the page.

A press that meets a running script ends it and begins another, so what stands behind `if st.button(...)` may never be
come to: any other press in these tens of milliseconds, or a live page that has itself drawn anew, takes it back. What
`on_click` names is called before anything is drawn.
"""

import time
from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.shared.notices import say

ASKED, REFUSED = "_asked-", "_refused-"
STANDS_SECONDS = 5.0
"""for which a press waits for its button to be drawn: where the button has gone, so has its sense"""


def press(label: str, act: Callable[[], None], *, key: str, **look: Any) -> None:
    """A button that does `act` at once; where that fails, why is said under it.

    `act` is made when the button is drawn, and called when it is pressed. It has to read itself what may have changed
    meanwhile, such as how a training is doing; fields beside the button may have: what depends on them is `pressed`.
    """
    st.button(label, key=key, on_click=_do, args=(act, key), **look)
    if why := st.session_state.pop(REFUSED + key, ""):
        say("error", "That did not work:", why)


def pressed(label: str, *, key: str, **look: Any) -> bool:
    """Whether a button was pressed since this was last asked, also if a run was interrupted before it came to here."""
    st.button(label, key=key, on_click=_remember, args=(key,), **look)
    asked: float | None = st.session_state.pop(ASKED + key, None)
    return asked is not None and time.monotonic() - asked < STANDS_SECONDS


def _do(act: Callable[[], None], key: str) -> None:
    try:
        act()
    except (OSError, ValueError) as error:
        st.session_state[REFUSED + key] = str(error)


def _remember(key: str) -> None:
    st.session_state[ASKED + key] = time.monotonic()
