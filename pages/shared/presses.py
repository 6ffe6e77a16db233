"""Buttons whose presses count, whatever interrupts the drawing of the page.

A press that meets a running script ends it and begins another, so what stands behind `if st.button(...)` may never be
come to: any other press in these tens of milliseconds, or a live page that has itself drawn anew, takes it back. What
`on_click` names is called before anything is drawn.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from pages.shared.notices import say

ASKED, REFUSED = "_asked-", "_refused-"
STANDS_SECONDS = 5.0
"""for which a press, or why it was refused, waits for its button to be drawn: where that has gone, so has its sense"""


def press(label: str, act: Callable[[], None], *, key: str, **look: Any) -> None:
    """A button that does `act` at once; where that fails, why is said under it.

    `act` is made when the button is drawn, and called when it is pressed. It has to read itself what may have changed
    meanwhile, such as how a training is doing; fields beside the button may have: what depends on them is `pressed`.
    """
    st.button(label, key=key, on_click=_do, args=(act, key), **look)
    why = _taken(REFUSED + key)
    if why is not None:
        say("error", "That did not work:", why)


def pressed(label: str, *, key: str, of: Sequence[str] = (), disabled: bool = False, **look: Any) -> bool:
    """Whether a button was pressed since this was last asked, also if a run was interrupted before it came to here.

    `of` names what it is for where its key does not: a press on it is none once it stands for something else, nor once
    it can't be pressed any more.
    """
    st.button(label, key=key, on_click=_remember, args=(ASKED + key, list(of)), disabled=disabled, **look)
    return bool(_taken(ASKED + key) == list(of)) and not disabled


def _do(act: Callable[[], None], key: str) -> None:
    try:
        act()
    except (OSError, ValueError) as error:
        _remember(REFUSED + key, str(error))


def _remember(name: str, what: object) -> None:
    st.session_state[name] = time.monotonic(), what


def _taken(name: str) -> Any:
    """What was remembered, once; None if it was nothing, or too long ago."""
    then, what = st.session_state.pop(name, (0.0, None))
    return what if time.monotonic() - then < STANDS_SECONDS else None
