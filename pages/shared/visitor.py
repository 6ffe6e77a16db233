"""Who looks, and whose runs they may change: their own, all with the owner's word, or all where there is no owner.

A visitor is a browser: Streamlit gives each a secret cookie of its own against forged uploads, which no page, link or
shared address shows, and which a reload, another tab and a new session bring back. A word in the address would travel
with every shared view, and the session alone would forget at a reload whose training it started.
"""

import binascii
import hashlib
import hmac
import os
import secrets

import streamlit as st

from bnvae.runs import Run
from bnvae.runs.owner import give_to, visitor_of
from pages.shared.mode import may_change
from pages.shared.state import MOST_RUNS, store

COOKIE = "_streamlit_xsrf"


def owner_word() -> str:
    """BNVAE_OWNER: with it, visitors change only the runs they started; without it, everybody may change all."""
    return os.environ.get("BNVAE_OWNER", "")


def visitor() -> str:
    """An id of this browser, from which its cookie can't be had; of this session where it has no cookie."""
    if secret := _secret(st.context.cookies.get(COOKIE, "")):
        return hashlib.sha256(b"bnvae visitor " + secret).hexdigest()[:32]
    return str(st.session_state.setdefault("_visitor", secrets.token_hex(16)))


def _secret(cookie: str) -> bytes:
    """What stays the same of the cookie, which is masked anew in each answer: 2|mask|masked secret|time."""
    try:
        version, mask, masked, _ = cookie.strip("\"'").split("|")
        key, hidden = binascii.a2b_hex(mask), binascii.a2b_hex(masked)
    except (ValueError, binascii.Error):
        return b""
    if version != "2" or not key:
        return b""
    return bytes(byte ^ key[index % len(key)] for index, byte in enumerate(hidden))


@st.cache_resource(show_spinner=False)
def _owners() -> set[str]:
    """Browsers that gave the owner's word since the server began."""
    return set()


def is_owner() -> bool:
    return not owner_word() or visitor() in _owners()


def may_steer(run: Run) -> bool:
    """Whether this visitor may stop, steer, rename or delete the run."""
    return may_change() and (is_owner() or visitor_of(run) == visitor())


def claim(run: Run) -> Run:
    """A run that this visitor began; of interest only where there is an owner."""
    if owner_word():
        give_to(run, visitor())
    return run


def most_living() -> int:
    """How many trainings a visitor may have at once where there is an owner: BNVAE_TRAININGS_EACH, else a race's four.

    Raises:
        ValueError: it is not a whole number from 1.
    """
    configured = os.environ.get("BNVAE_TRAININGS_EACH")
    if configured is None:
        return MOST_RUNS
    if not configured.isdecimal() or int(configured) < 1:
        raise ValueError(f"BNVAE_TRAININGS_EACH is {configured!r}: give how many a visitor may have, 1 or more.")
    return int(configured)


def check_room(wanted: int) -> None:
    """Raises ValueError if so many trainings more would be too many of this visitor's at once."""
    if not owner_word() or is_owner():
        return
    mine, most = visitor(), most_living()
    living = sum(visitor_of(run) == mine and run.status.alive for run in store().runs())
    if living + wanted > most:
        raise ValueError(
            f"{living} of your trainings are under way, and this server lets a visitor have {most} at once: stop one, "
            "or wait until one has ended."
        )


def door() -> None:
    """Where the owner of the server gives the word; nothing where there is none to give."""
    if not owner_word() or not may_change():
        return
    if is_owner():
        st.caption("You are this server's owner: every run is yours to change.")
        return
    with st.popover("Owner", icon=":material/key:"), st.form("owner", border=False):
        given = st.text_input("The owner's word", type="password", key="owner-word")
        if st.form_submit_button("Come in"):
            if hmac.compare_digest(given.encode(), owner_word().encode()):
                _owners().add(visitor())
                st.rerun()
            st.text("That is not the word.")
