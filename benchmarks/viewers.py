"""A visitor of the app who is no browser, but asks the server for all that a browser would; see `benchmarks.load`."""

import asyncio
import bisect
import gzip
import json
import re
import time
import urllib.parse
import urllib.request
from collections.abc import Sequence
from contextlib import suppress

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from benchmarks.browser import Server
from bnvae.runs import Run

SHOWN_STEP = re.compile(r"step ([\d,]+) of ([\d,]+)")
"""of which run, the number of its steps says: it differs by an epoch"""
LOOK_SECONDS = 0.02


class Clock:
    """When each step of each run could first be read from its folder."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs = runs
        self._written: dict[int, list[tuple[int, float]]] = {}
        """of each run by its number of steps, in the order of its steps"""

    async def watch(self) -> None:
        """Look again and again; until it is cancelled."""
        while True:
            for run in self._runs:
                status = run.status
                seen = self._written.setdefault(status.total_steps, [])
                if not seen or seen[-1][0] < status.step:
                    seen.append((status.step, time.monotonic()))
            await asyncio.sleep(LOOK_SECONDS)

    def outdated_seconds(self, step: int, total_steps: int) -> float:
        """For how long there has been a later step."""
        seen = self._written.get(total_steps, [])
        later = bisect.bisect_right(seen, step, key=lambda entry: entry[0])
        return time.monotonic() - seen[later][1] if later < len(seen) else 0.0


class Viewer:
    """One browser on one page."""

    def __init__(self, server: Server, path: str, query: str, clock: Clock) -> None:
        self._server, self._path, self._query, self._clock = server, path, query, clock
        self._page = ""
        self._kept: set[str] = set()
        self._tickers: dict[str, asyncio.Task[None]] = {}
        self._feeds: dict[str, asyncio.Task[None]] = {}
        self._started = 0.0
        self._fed = asyncio.Event()
        self._shown: dict[int, int] = {}
        """of each run by its number of steps: the step on show"""
        self.answers = 0
        self.load_seconds: float | None = None
        self.ages: list[float] = []
        self.failure = ""
        self.loaded = asyncio.Event()

    async def watch(self, until: asyncio.Event) -> None:
        """Open the page, and look at it until told otherwise; what goes wrong is in `failure`."""
        self._started = time.monotonic()
        try:
            cookie = await asyncio.to_thread(self._fetch)
            address = self._server.address.replace("http", "ws") + "/_stcore/stream"
            async with connect(
                address,
                subprotocols=["streamlit"],  # type: ignore[list-item]
                additional_headers={"Cookie": cookie, "Origin": self._server.address},
                max_size=None,
                open_timeout=60,
                ping_interval=None,
            ) as socket:
                await self._ask(socket)
                reading = asyncio.create_task(self._read(socket))
                ended = asyncio.create_task(until.wait())
                done, _ = await asyncio.wait({reading, ended}, return_when=asyncio.FIRST_COMPLETED)
                if reading in done:
                    reading.result()
                reading.cancel()
                ended.cancel()
        except (OSError, WebSocketException, TimeoutError) as error:
            self.failure = f"{type(error).__name__}: {error}"
        finally:
            for task in (*self._tickers.values(), *self._feeds.values()):
                task.cancel()
            self.loaded.set()

    def _fetch(self) -> str:
        """The page's own file, and what the server asks a browser to know; returns the cookie it sets."""
        for path in (self._path, "/_stcore/health", "/_stcore/host-config"):
            with urllib.request.urlopen(self._server.address + path, timeout=60) as answer:
                answer.read()
                cookie = answer.headers.get("Set-Cookie") or ""
        return cookie.partition(";")[0]

    async def _ask(self, socket: ClientConnection, fragment: str = "") -> None:
        message = BackMsg()
        wish = message.rerun_script
        wish.query_string, wish.page_name, wish.page_script_hash = self._query, self._path.strip("/"), self._page
        wish.fragment_id, wish.is_auto_rerun = fragment, bool(fragment)
        wish.cached_message_hashes.extend(self._kept)
        await socket.send(message.SerializeToString())

    async def _tick(self, socket: ClientConnection, fragment: str, seconds: float) -> None:
        with suppress(WebSocketException):
            while True:
                await asyncio.sleep(seconds)
                await self._ask(socket, fragment)

    async def _read(self, socket: ClientConnection) -> None:
        async for content in socket:
            message = ForwardMsg.FromString(content if isinstance(content, bytes) else content.encode())
            kind = message.WhichOneof("type")
            if message.metadata.cacheable:
                self._kept.add(message.hash)
            if kind == "new_session":
                self._page = message.new_session.page_script_hash
            elif kind == "auto_rerun":
                fragment = message.auto_rerun.fragment_id
                if fragment not in self._tickers:
                    ticking = self._tick(socket, fragment, message.auto_rerun.interval)
                    self._tickers[fragment] = asyncio.create_task(ticking)
            elif kind == "stop_auto_rerun":
                if ticker := self._tickers.pop(message.stop_auto_rerun.fragment_id, None):
                    ticker.cancel()
            elif kind == "script_finished" and self.load_seconds is None:
                if not self._feeds:
                    self._fed.set()
                await self._fed.wait()
                self.load_seconds = time.monotonic() - self._started
                self.loaded.set()
            elif kind == "delta" and (drawn := message.delta.new_element.bidi_component.json):
                self._take(drawn)

    def _take(self, drawn: str) -> None:
        """What a component was given: its numbers, or where to ask for them."""
        feed = json.loads(drawn).get("feed")
        if feed is None:
            self._see(drawn.encode())
        elif feed["address"] not in self._feeds:
            self._feeds[feed["address"]] = asyncio.create_task(self._follow(feed["address"]))

    async def _follow(self, address: str) -> None:
        """Ask as a page's components do together, over one connection."""
        server = urllib.parse.urlsplit(self._server.address)
        reader, writer = await asyncio.open_connection(server.hostname, server.port, limit=2**24)
        etag = version = ""
        try:
            while True:
                have = f"&have={version}" if version else ""
                known = f"If-None-Match: {etag}\r\n" if etag else ""
                head = f"GET /{address}{have} HTTP/1.1\r\nHost: {server.netloc}\r\nAccept-Encoding: gzip\r\n{known}\r\n"
                writer.write(head.encode())
                status, headers, body = await _answer(reader)
                if status == 200:
                    etag, content = headers["etag"], gzip.decompress(body)
                    version = json.loads(content).get("version", version)
                    self._see(content)
                elif status != 304:
                    raise ConnectionError(f"{address} was answered with {status}")
                self.answers += 1
                self._fed.set()
                await asyncio.sleep(int(headers["x-ask-again-ms"]) / 1_000)
        except (OSError, asyncio.IncompleteReadError) as error:
            self.failure = f"{type(error).__name__}: {error}"
            self._fed.set()
        finally:
            writer.close()

    def _see(self, content: bytes) -> None:
        for found in SHOWN_STEP.finditer(content.decode()):
            step, total = (int(number.replace(",", "")) for number in found.groups())
            before = self._shown.get(total)
            if before is not None and step != before:
                self.ages.append(self._clock.outdated_seconds(before, total))
            self._shown[total] = step


async def _answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of one answer."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    return int(lines[0].split()[1]), headers, await reader.readexactly(int(headers.get("content-length", 0)))
