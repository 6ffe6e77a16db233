"""How many people can watch two trainings on one server of two cores: python -m benchmarks.load [--quick].

Viewers do what a browser does. They load the Train page with both runs on show over the server's WebSocket protocol,
and name the messages they have kept, so that the server need not send them twice. Then they ask the route that the
page's components ask for their numbers, as often as it lets them; where a page ticks instead, they run its fragments
again. Not measured is what a browser itself takes to load scripts and to draw.

First load: from the request for the page until its script has finished and its numbers are there. Age: for how long a
newer step than the one on show had been there to read, at the moment before it was shown; while a training evaluates
itself nothing newer is there, and no page is to blame. The server and its workers
are bound to two cores; where there are more, the viewers are on the others, elsewhere they take their share from the
server. The processor time is the server's own, which depends little on what else the machine does.
"""

import argparse
import asyncio
import bisect
import dataclasses
import gzip
import json
import os
import re
import shutil
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from benchmarks.browser import Server, serving
from benchmarks.report import publish
from bnvae import launcher
from bnvae.config import DataConfig, HeadName, ModelConfig, RunConfig, TrainingConfig
from bnvae.runs import Run, RunStore

TARGET_LOAD_SECONDS, TARGET_AGE_SECONDS, TARGET_SESSION_MB = 5.0, 2.0, 5.0
SHOWN_STEP = re.compile(r"step ([\d,]+) of ([\d,]+)")
"""of which run, the number of its steps says: it differs by an epoch"""
LOOK_SECONDS = 0.02
ARRIVALS_A_SECOND = 20
MOST_SECONDS = 400.0
"""of the whole command, after which no larger crowd is begun"""
SERVER_CORES = 2


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of them does not exceed; infinite for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("inf")


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


@dataclasses.dataclass(frozen=True)
class Seen:
    """What so many viewers met."""

    viewers: int
    load_seconds: float
    age_seconds: float
    megabytes_each: float
    processor_seconds_a_load: float
    processor_seconds_a_minute: float
    """of the server for each viewer, once all are there"""
    failures: list[str]

    @property
    def broken(self) -> list[str]:
        """What of the targets was missed."""
        parts = [f"{len(self.failures)} viewers failed ({self.failures[0]})"] if self.failures else []
        parts += ["first load"] if self.load_seconds > TARGET_LOAD_SECONDS else []
        parts += ["age"] if self.age_seconds > TARGET_AGE_SECONDS else []
        parts += ["memory"] if self.megabytes_each > TARGET_SESSION_MB else []
        return parts


async def crowd(server: Server, query: str, runs: Sequence[Run], viewers: int, seconds: float) -> Seen:
    """So many viewers, who come one after the other and look for a while."""
    clock, over = Clock(runs), asyncio.Event()
    watching = asyncio.create_task(clock.watch())
    before, used = server.resident_bytes, server.processor_seconds
    people = [Viewer(server, "/train", query, clock) for _ in range(viewers)]
    tasks = []
    for person in people:
        tasks.append(asyncio.create_task(person.watch(over)))
        await asyncio.sleep(1 / ARRIVALS_A_SECOND)
    with suppress(TimeoutError):
        async with asyncio.timeout(120):
            await asyncio.gather(*(person.loaded.wait() for person in people))
    for person in people:
        person.ages.clear()  # of the rush
    loaded, begun = server.processor_seconds, time.monotonic()
    await asyncio.sleep(seconds)
    grown, minutes = server.resident_bytes - before, (time.monotonic() - begun) / 60
    watched = server.processor_seconds - loaded
    over.set()
    await asyncio.gather(*tasks)
    watching.cancel()
    loads = [person.load_seconds for person in people if person.load_seconds is not None]
    return Seen(
        viewers=viewers,
        load_seconds=percentile(loads, 0.95) if len(loads) == viewers else float("inf"),
        age_seconds=percentile([age for person in people for age in person.ages], 0.95),
        megabytes_each=grown / viewers / 1e6,
        processor_seconds_a_load=(loaded - used) / viewers,
        processor_seconds_a_minute=watched / viewers / minutes,
        failures=[person.failure for person in people if person.failure],
    )


async def come_and_go(server: Server, query: str, times: int, at_once: int = 5) -> list[float]:
    """Visitors who leave once the page is there: the server's resident memory after each tenth of them (MB)."""
    clock, found = Clock([]), [server.resident_bytes / 1e6]
    for number in range(0, times, at_once):
        over = asyncio.Event()
        people = [Viewer(server, "/train", query, clock) for _ in range(at_once)]
        tasks = [asyncio.create_task(person.watch(over)) for person in people]
        await asyncio.gather(*(person.loaded.wait() for person in people))
        over.set()
        await asyncio.gather(*tasks)
        if (number + at_once) % max(at_once, times // 10) < at_once:
            found.append(server.resident_bytes / 1e6)
    return found


def begin_trainings(store: RunStore) -> list[Run]:
    """Two of the app's own workers, which train for as long as the measurement takes."""
    runs = []
    heads: dict[int, HeadName] = {1_000: "gaussian", 1_001: "rms-scaler"}
    for epochs, head in heads.items():
        config = RunConfig(
            data=DataConfig(name="storybook"),
            model=ModelConfig(network="lstm", head=head),
            training=TrainingConfig(epochs=epochs, device="cpu", threads=1),
        )
        run = store.create(store.free_id(f"storybook-{head}"), config)
        launcher.submit(run, threads=1)
        runs.append(run)
    end = time.monotonic() + 120
    while not all(run.status.step > 100 for run in runs):
        if time.monotonic() > end:
            raise RuntimeError(f"a training did not begin: {[run.status.message for run in runs]}")
        time.sleep(0.2)
    return runs


def end_trainings(runs: Sequence[Run]) -> None:
    for run in runs:
        launcher.stop(run)
    end = time.monotonic() + 60
    while any(run.is_held for run in runs) and time.monotonic() < end:
        time.sleep(0.2)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--viewers", type=int, nargs="+", default=[1, 20, 100, 200, 400])
    parser.add_argument("--seconds", type=float, default=20.0, help="for which each crowd looks")
    parser.add_argument("--visits", type=int, default=1_000, help="connects and disconnects; 0: none")
    parser.add_argument("--quick", action="store_true", help="1 and 10 viewers for 10 s, 50 visits")
    options = parser.parse_args(arguments)
    if options.quick:
        options.viewers, options.seconds, options.visits = [1, 10], 10.0, 50
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[:SERVER_CORES])  # of the server and the workers, which are started here
    begun, folder = time.monotonic(), Path(tempfile.mkdtemp())
    os.environ["BNVAE_CHECKPOINTS"] = str(folder)
    runs: list[Run] = []
    try:
        runs = begin_trainings(RunStore(folder))
        query = "&".join(f"runs={run.id}" for run in runs)
        with serving(folder) as server:
            os.sched_setaffinity(0, cores[SERVER_CORES:] or cores)
            asyncio.run(crowd(server, query, runs, 1, 2.0))  # the first visitor pays for all imports
            if options.visits:
                _publish_visits(server, query, options.visits)
            _publish_crowds(server, query, runs, options.viewers, options.seconds, until=begun + MOST_SECONDS)
    finally:
        end_trainings(runs)
        shutil.rmtree(folder, ignore_errors=True)


def _publish_crowds(
    server: Server, query: str, runs: Sequence[Run], sizes: Sequence[int], seconds: float, *, until: float
) -> None:
    rows = []
    for viewers in sizes:
        if time.monotonic() + viewers / ARRIVALS_A_SECOND + seconds > until:
            print(f"no time is left for {viewers} viewers", flush=True)
            break
        seen = asyncio.run(crowd(server, query, runs, viewers, seconds))
        figures = (
            f"{seen.load_seconds:.2f}",
            f"{seen.age_seconds:.2f}",
            f"{seen.megabytes_each:.2f}",
            f"{seen.processor_seconds_a_load:.3f}",
            f"{seen.processor_seconds_a_minute:.2f}",
        )
        rows.append([str(viewers), *figures, ", ".join(seen.broken) or "none"])
        print(rows[-1], flush=True)
        if seen.failures or not max(seen.load_seconds, seen.age_seconds) < 10 * TARGET_LOAD_SECONDS:
            break
    header = [
        "viewers",
        "first load, p95 (s)",
        "age, p95 (s)",
        "memory each (MB)",
        "server's processor time a load (s)",
        "and a viewer-minute (s)",
        "missed",
    ]
    publish("Viewers of two trainings", header, rows)


def _publish_visits(server: Server, query: str, visits: int) -> None:
    used = server.processor_seconds
    megabytes = asyncio.run(come_and_go(server, query, visits))
    each = (server.processor_seconds - used) / visits
    half = len(megabytes) // 2
    growth = 1_000 * (megabytes[-1] - megabytes[half]) / (visits / 2)
    header = [
        "visits",
        "resident memory after each tenth (MB)",
        "growth over the second half (kB a visit)",
        "server's processor time a visit (s)",
    ]
    row = [str(visits), ", ".join(f"{m:.0f}" for m in megabytes), f"{growth:.0f}", f"{each:.3f}"]
    publish("Visitors who come and go", header, [row])


if __name__ == "__main__":
    main()
