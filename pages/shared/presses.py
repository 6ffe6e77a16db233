"""Buttons whose presses count, whatever interrupts the drawing of the page.

A press that meets a running script ends it and begins another, so what stands behind `if st.button(...)` may never be
come to: any other press in these tens of milliseconds, or a live page that has itself drawn anew, takes it back. What
`on_click` names is called before anything is drawn.
"""

import contextvars
import math
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import add_script_run_ctx

from pages.shared.notices import say

Made = TypeVar("Made")

ASKED, DONE, REFUSED = "_asked-", "_done-", "_refused-"
STANDS_SECONDS = 5.0
"""for which a press, or why it was refused, waits for its button to be drawn: where that has gone, so has its sense"""

DOUBLE_SECONDS = 1.5
"""after an answered press: what is pressed again so soon was pressed twice"""
WHOLE = "_whole-ended"
NEVER = (0.0, None, True)
"""when a button was pressed, for what, and whether that is answered"""


def press(label: str, act: Callable[[], None], *, key: str, once: bool = False, **look: Any) -> None:
    """A button that does `act` at once, and `once` if it is pressed twice; where that fails, why is said under it.

    `act` is made when the button is drawn, and called when it is pressed. It has to read itself what may have changed
    meanwhile, such as how a training is doing; fields beside the button may have: what depends on them is `pressed`.
    """
    st.button(label, key=key, on_click=_do, args=(act, key, once), **look)
    if why := _refusal(key):
        say("error", "That did not work:", why)


def pressed(
    label: str, *, key: str, of: Sequence[str] = (), once: bool = False, disabled: bool = False, **look: Any
) -> bool:
    """Whether a button was pressed since this was last asked, also if a run was interrupted before it came to here.

    `of` names what it is for where its key does not: a press on it is none once it stands for something else, nor once
    it can't be pressed any more. `once`: a double click is one press.
    """
    st.button(label, key=key, on_click=_ask, args=(ASKED + key, list(of), once), disabled=disabled, **look)
    then, what, answered = st.session_state.get(ASKED + key, NEVER)
    if answered:
        return False
    st.session_state[ASKED + key] = time.monotonic(), what, True
    return not disabled and bool(what == list(of)) and time.monotonic() - then < STANDS_SECONDS


def whole(act: Callable[[], Made]) -> Made:
    """What `act` returns, done to its end though another press waits.

    Streamlit ends a run wherever its script reads the session or draws, so between a training that was started and the
    note that it is to be shown. It ends only the script's own thread, which waits here for another. Not for what
    `on_click` names: the session is locked while that is called.
    """
    context, made = contextvars.copy_context(), Future[Made]()

    def do() -> None:
        try:
            result = context.run(act)
            st.session_state[WHOLE] = time.monotonic()
            made.set_result(result)
        except BaseException as error:
            made.set_exception(error)

    other = threading.Thread(target=do)
    add_script_run_ctx(other)
    other.start()
    return made.result()


def _do(act: Callable[[], None], key: str, once: bool) -> None:
    if once and time.monotonic() - st.session_state.get(DONE + key, -math.inf) < DOUBLE_SECONDS:
        return
    try:
        act()
        if once:
            st.session_state[DONE + key] = time.monotonic()
    except (OSError, ValueError) as error:
        st.session_state[REFUSED + key] = time.monotonic(), str(error)


def _ask(name: str, of: list[str], once: bool) -> None:
    """Remember a press; unless it is the second of a double one, where that counts `once`."""
    then, what, answered = st.session_state.get(name, NEVER)
    done = max(then, st.session_state.get(WHOLE, then))
    if not (once and answered and what == of and time.monotonic() - done < DOUBLE_SECONDS):
        st.session_state[name] = time.monotonic(), of, False


def _refusal(key: str) -> str:
    """Why a press was refused, once; empty if it was not, or too long ago."""
    then, why = st.session_state.pop(REFUSED + key, (0.0, ""))
    return why if time.monotonic() - then < STANDS_SECONDS else ""
