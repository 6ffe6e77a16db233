"""The route that a page's components ask for their numbers: what it tells, when it has nothing new, and how often."""

import asyncio
import gzip
import json
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from bnvae.runs import Run, RunStore
from bnvae.runs.progress.history import HistoryWriter
from pages.shared.live import feed as live_feed
from pages.shared.live.feed import Answers, Crowd, Pace, live
from pages.shared.live.moment import Moment, Moments, States

PACE = Pace(0.5, 2.0, 7.0)


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer of another test, and none that is taken for true without a look."""
    monkeypatch.setattr(live_feed, "ANSWERS", Answers())
    monkeypatch.setattr(live_feed, "FRESH_SECONDS", -1.0)


def asked(query: str, *, kind: str = "training", **headers: str) -> Response:
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": f"/live/{kind}",
        "path_params": {"kind": kind},
        "query_string": query.encode(),
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    # In a thread of its own: this one may have a loop that runs already, a browser's.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(live(Request(scope)))).result()


def told(response: Response) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(bytes(response.body))
    return answer


def record_once_more(run: Run) -> None:
    """The newest record again, a step later."""
    path = run.folder / "history.jsonl"
    newest = run.history().steps[-1]
    writer = HistoryWriter(path, path.stat().st_size)
    writer.append(type(newest)(**{**vars(newest), "step": newest.step + 1}))
    writer.close()


def test_an_answer_holds_every_panel_of_the_runs_asked_for(runs: RunStore) -> None:
    answer = told(asked("runs=digits-plain&runs=story-bn"))
    names = {
        f"{name}-{run_id}"
        for run_id in ("digits-plain", "story-bn")
        for name in ("bars", "state", "elbo", "information", "rise", "active")
    }
    assert set(answer["light"]) == names | {"pulse"}
    assert [section["heading"] for section in answer["heavy"]["previews"]["sections"]] == [
        "Decoded from the same prior samples",
        "Validation examples and their reconstructions",
    ]
    assert answer["light"]["bars-story-bn"]["kl"] == pytest.approx(
        runs.get("story-bn").history().steps[-1].kl_per_dimension, rel=1e-5
    )


def test_the_words_of_a_run_are_never_of_an_earlier_step_than_its_bars(runs: RunStore) -> None:
    # As in an evaluation: the last record is in the history, and the status still says what it said before.
    run = runs.get("digits-plain")
    shown = run.history().steps[-1].step
    run.write_status(run.status.replace(state="stopped", step=shown - 1, total_steps=2 * shown))
    state = told(asked("runs=digits-plain"))["light"]["state-digits-plain"]
    assert f"step {shown:,} of {2 * shown:,}" in state["words"]
    assert state["share"] == 0.5


def test_who_has_an_answer_hears_that_there_is_nothing_new_until_there_is(runs: RunStore) -> None:
    first = asked("runs=digits-plain")
    have = f"runs=digits-plain&have={told(first)['version']}"
    again = asked(have, if_none_match=first.headers["ETag"])
    assert (again.status_code, again.body) == (304, b"")
    assert asked(have, if_none_match=f"W/{first.headers['ETag']}").status_code == 304  # as a proxy may write it
    record_once_more(runs.get("digits-plain"))
    later = asked(have, if_none_match=first.headers["ETag"])
    assert later.status_code == 200
    assert later.headers["ETag"] != first.headers["ETag"]


def test_pictures_are_sent_again_only_when_they_are_others(runs: RunStore) -> None:
    first = told(asked("runs=digits-plain"))
    record_once_more(runs.get("digits-plain"))
    assert set(told(asked(f"runs=digits-plain&have={first['version']}"))) == {"light"}
    other = told(asked("runs=digits-plain&have=0000000000000000"))
    assert other["heavy"] == first["heavy"]


def test_the_same_bytes_come_compressed_to_who_can_take_them(runs: RunStore) -> None:
    plain, packed = asked("runs=digits-plain"), asked("runs=digits-plain", accept_encoding="gzip, br")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(bytes(packed.body)) == bytes(plain.body)


@pytest.mark.parametrize("query", ["", "runs=a&runs=b&runs=c&runs=d&runs=e", "run=digits-plain"])
def test_a_number_of_runs_that_no_page_shows_is_refused(query: str, runs: RunStore) -> None:
    assert asked(query).status_code == 400


def test_an_unknown_kind_is_refused(runs: RunStore) -> None:
    assert asked("runs=digits-plain", kind="weights").status_code == 400


@pytest.mark.parametrize("run_id", ["gone", "../digits-plain", "%2e%2e", "a/b", ".hidden", "x" * 300])
def test_of_a_run_that_is_not_here_nothing_is_told(run_id: str, runs: RunStore) -> None:
    answer = asked(f"runs={run_id}")
    assert answer.status_code == 200
    assert set(told(answer)["light"]) == {"pulse"}


@pytest.mark.parametrize("kind", ["training", "film"])
def test_no_answer_tells_where_the_folders_are(kind: str, runs: RunStore) -> None:
    (runs.root / "story-bn" / "history.jsonl").write_text("no record\n")
    (runs.root / "story-plain" / "config.json").write_text("{")
    query = "runs=digits-plain&runs=story-bn&runs=story-plain"
    assert str(runs.root) not in bytes(asked(query, kind=kind).body).decode()


def test_a_run_that_breaks_changes_what_the_script_has_to_say(runs: RunStore) -> None:
    before = told(asked("runs=story-bn"))["light"]["pulse"]
    (runs.root / "story-bn" / "config.json").write_text("{")
    assert told(asked("runs=story-bn"))["light"]["pulse"] != before


def test_the_moment_of_some_runs_is_built_once_for_all_who_ask_for_it(runs: RunStore) -> None:
    built = []

    def build(chosen: Sequence[Run], states: States) -> Moment:
        built.append(chosen)
        time.sleep(0.05)  # meanwhile the others ask
        return Moment(light={}, heavy={})

    moments, run = Moments(build), runs.get("digits-plain")
    asking = [threading.Thread(target=lambda: moments.of([run])) for _ in range(8)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert len(built) == 1
    record_once_more(run)
    moments.of([run])
    assert len(built) == 2


def test_the_film_is_told_with_its_snapshots_apart(runs: RunStore) -> None:
    answer = told(asked("runs=digits-plain", kind="film"))
    (film,) = answer["light"]["film"]["runs"]
    assert film["title"] == "digits-plain"
    assert "snapshots" not in film
    (album,) = answer["heavy"]["film"]["albums"]
    assert [snapshot["step"] for snapshot in album] == [moment.step for moment in runs.get("digits-plain").snapshots()]


def test_one_page_asks_as_soon_as_it_may_and_a_hundred_share_what_the_server_gives() -> None:
    assert Crowd().wait(PACE, now=0.0, alive=True) == 0.5
    crowd, waits = Crowd(), []
    due = [0.01 * page for page in range(100)]
    for _ in range(3_000):  # a hundred pages, each asking again when it was told to
        page = due.index(min(due))
        waits.append(crowd.wait(PACE, now=due[page], alive=True))
        due[page] += waits[-1]
    assert waits[-1] == pytest.approx(100 / live_feed.MOST_ANSWERS_PER_SECOND, rel=0.15)


def test_more_pages_than_the_server_can_serve_so_soon_are_not_left_waiting_for_ever() -> None:
    crowd = Crowd()
    assert max(crowd.wait(PACE, now=0.0, alive=True) for _ in range(3_000)) == 2.0


def test_pages_of_runs_that_rest_ask_seldom() -> None:
    assert Crowd().wait(PACE, now=0.0, alive=False) == 7.0
