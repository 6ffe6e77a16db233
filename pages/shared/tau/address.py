"""The slider's place in the address.

The slider is told where to stand only when the address was changed by hand or by a link: told at every release, it
would be sent all its pictures again each time.
"""

import streamlit as st

from pages.components.tau_explorer import TauRun

TAU = "tau"
MIDDLE = 0.5
_GIVEN, _WRITTEN = "_tau_given", "_tau_written"


def given_tau(run: TauRun) -> float:
    """Where the slider is told to stand: the tau of the address, else where the run was trained, else the middle."""
    in_url = _in_url(run.largest_tau)
    if _GIVEN in st.session_state and in_url in (None, st.session_state.get(_WRITTEN)):
        return float(st.session_state[_GIVEN])
    given = in_url if in_url is not None else run.marks[0][0] if run.marks else min(MIDDLE, run.largest_tau)
    st.session_state[_GIVEN] = given
    return given


def at_rest(run: TauRun, tau: float) -> float:
    """Where the slider comes to rest: inside its range, and in a sweep at the nearest member."""
    return min(run.taus, key=lambda one: abs(one - tau)) if run.snaps else min(tau, run.largest_tau)


def remember_tau(tau: float) -> None:
    """The visitor let the slider go at this tau."""
    written = f"{tau:.3f}"
    st.session_state[_WRITTEN] = float(written)
    if st.query_params.get(TAU) != written:
        st.query_params[TAU] = written


def _in_url(largest: float) -> float | None:
    try:
        tau = float(st.query_params.get(TAU, ""))
    except ValueError:
        return None
    return tau if 0 <= tau <= largest else None
