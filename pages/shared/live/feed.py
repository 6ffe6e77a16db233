"""The route `live/KIND?runs=RUN&runs=RUN`: what there is to see of some runs now, as JSON, for a page's components.

A page's script costs the server some tens of milliseconds for each visitor and tick. An answer here is made once for
all visitors; most of them get bytes that are there already, or hear that there is nothing new. It tells no more than
the pages do: who may not change anything may still look.
"""

import asyncio
import gzip
import hashlib
import json
import time
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pages.components.feed import ROUTE

GIVEN_UP = "_without_feed"
MOST_RUNS = 4
MOST_KEPT = 32
FRESH_SECONDS = 0.2
"""for which what was found in a run's folder is taken for true"""
COMPRESSION = 3
HEADERS = {"Cache-Control": "no-store", "Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff"}


@final
class _Door:
    """Whether this process serves the route: `streamlit run app.py` does, a page run as an app of its own does not."""

    is_open = False


def open_up() -> None:
    """Say that the route is served; once, before the server listens."""
    _Door.is_open = True


def is_open() -> bool:
    """Whether the components of this visitor's page can fetch their numbers themselves."""
    return _Door.is_open and GIVEN_UP not in st.session_state


def give_up() -> None:
    """Something between this visitor and the server does not let the route through: go on without it."""
    st.session_state[GIVEN_UP] = True


@final
@dataclass(frozen=True)
class Pace:
    """How soon a page may ask again: the sooner, the fewer ask (s)."""

    soonest: float
    latest: float
    resting: float
    """while none of the runs is being trained"""


PACES = {"training": Pace(0.4, 1.2, 4.0), "film": Pace(1.5, 4.0, 8.0)}
MOST_ANSWERS_PER_SECOND = 80.0


@final
class Crowd:
    """How many pages ask, judged by how often they did and how long each had been told to wait."""

    def __init__(self, window_seconds: float = 3.0) -> None:
        self._window = window_seconds
        self._told: deque[tuple[float, float]] = deque(maxlen=4096)

    def wait(self, pace: Pace, now: float, *, alive: bool) -> float:
        """Until the page that asks now may ask again (s)."""
        while self._told and self._told[0][0] < now - self._window:
            self._told.popleft()
        pages = sum(min(1.0, wait / self._window) for _, wait in self._told)
        wanted = max(pace.soonest, pages / MOST_ANSWERS_PER_SECOND) if alive else pace.resting
        wait = min(wanted, pace.latest if alive else pace.resting)
        self._told.append((now, wait))
        return wait


@final
class Answer:
    """One moment of some runs as it is sent, with what seldom changes and without it."""

    def __init__(self, light: object, heavy: object, *, alive: bool) -> None:
        self.alive = alive
        self._light, self._heavy = _json(light), _json(heavy)
        self.version = _digest(self._heavy)
        self.etag = f'"{_digest(self._light)}-{self.version}"'

    @cached_property
    def whole(self) -> tuple[bytes, bytes]:
        """Plain and compressed."""
        return _packed(
            b'{"light":' + self._light + b',"heavy":' + self._heavy + f',"version":"{self.version}"}}'.encode()
        )

    @cached_property
    def update(self) -> tuple[bytes, bytes]:
        """For who has the heavy part already."""
        return _packed(b'{"light":' + self._light + b"}")


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _packed(content: bytes) -> tuple[bytes, bytes]:
    return content, gzip.compress(content, COMPRESSION)


@dataclass
class _Kept:
    lock: asyncio.Lock
    answer: Answer | None = None
    moment: object = None
    looked_at: float = 0.0


@final
class Answers:
    """The last answer about each set of runs; made anew by one who asks while the others wait for it."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, ...], _Kept] = OrderedDict()

    async def about(self, kind: str, run_ids: Sequence[str]) -> Answer:
        kept = self._entry((kind, *run_ids))
        async with kept.lock:
            if kept.answer is None or time.monotonic() - kept.looked_at > FRESH_SECONDS:
                await run_in_threadpool(_look, kept, kind, run_ids)
                kept.looked_at = time.monotonic()
            assert kept.answer is not None
            return kept.answer

    def _entry(self, key: tuple[str, ...]) -> _Kept:
        kept = self._kept.setdefault(key, _Kept(asyncio.Lock()))
        self._kept.move_to_end(key)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return kept


def _look(kept: _Kept, kind: str, run_ids: Sequence[str]) -> None:
    from pages.shared.live.kinds import moment_of  # torch is behind it: the server imports it before it listens

    moment = moment_of(kind, run_ids)
    if moment is not kept.moment:
        kept.moment = moment
        kept.answer = Answer(moment.light, moment.heavy, alive=moment.alive)


ANSWERS, CROWD = Answers(), Crowd()


async def live(request: Request) -> Response:
    """One answer; 304 without one where the page has it, and 400 where the address is none of ours."""
    kind, run_ids = request.path_params["kind"], request.query_params.getlist("runs")
    if kind not in PACES or not 1 <= len(run_ids) <= MOST_RUNS:
        return Response("Ask for live/training or live/film, and for one to four runs.", 400, HEADERS)
    answer = await ANSWERS.about(kind, run_ids)
    wait = CROWD.wait(PACES[kind], time.monotonic(), alive=answer.alive)
    headers = HEADERS | {"ETag": answer.etag, "X-Ask-Again-Ms": f"{1_000 * wait:.0f}"}
    has_heavy = request.query_params.get("have") == answer.version
    known = request.headers.get("If-None-Match", "").removeprefix("W/")
    if has_heavy and known == answer.etag:
        return Response(status_code=304, headers=headers)
    plain, packed = answer.update if has_heavy else answer.whole
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        return Response(packed, media_type="application/json", headers=headers | {"Content-Encoding": "gzip"})
    return Response(plain, media_type="application/json", headers=headers)


def routes() -> list[Route]:
    """For the server's app: below its base path, as everything else of it."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return [Route(f"{'/' if base else ''}{base}/{ROUTE}/{{kind}}", live, methods=["GET"])]
