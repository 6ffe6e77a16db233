"""Who may take the next step, and when."""

import threading
from collections.abc import Callable

import pytest

from bnvae.jobs import lockstep
from bnvae.jobs.lockstep import Abandoned, Conductor, Metronome


def always() -> bool:
    return True


def test_a_member_alone_is_never_held_back() -> None:
    conductor = Conductor()
    conductor.join("a", 0)
    for step in range(5):
        conductor.arrive("a", step)
        assert conductor.may_go("a", always, 0)


def test_the_faster_member_waits_for_the_slower_one() -> None:
    conductor = Conductor()
    conductor.join("fast", 1)
    conductor.join("slow", 0)
    assert not conductor.may_go("fast", always, 0.01)
    conductor.arrive("slow", 1)
    assert conductor.may_go("fast", always, 0)


def test_a_member_that_left_is_not_waited_for() -> None:
    conductor = Conductor()
    conductor.join("goes on", 7)
    conductor.join("failed", 3)
    conductor.leave("failed")
    assert conductor.may_go("goes on", always, 0)


def test_who_asks_first_decides_for_all() -> None:
    conductor = Conductor()
    for member in ("a", "b"):
        conductor.join(member, 0)
    assert conductor.may_go("a", always, 0)
    assert conductor.may_go("b", lambda: False, 0)  # a pause in between would leave them a step apart
    for member in ("a", "b"):
        conductor.arrive(member, 1)
    assert not conductor.may_go("b", lambda: False, 0)


def test_members_in_threads_are_never_more_than_one_step_apart() -> None:
    conductor, taken, widest = Conductor(), {"a": 0, "b": 0, "c": 0}, []
    for member in taken:
        conductor.join(member, 0)

    def run(member: str, work: Callable[[], object]) -> None:
        for step in range(60):
            conductor.arrive(member, step)
            while not conductor.may_go(member, always, 0.5):
                pass
            work()
            taken[member] = step + 1
            widest.append(max(taken.values()) - min(taken.values()))
        conductor.leave(member)

    works = {"a": lambda: None, "b": lambda: sum(range(5_000)), "c": lambda: sum(range(20_000))}
    threads = [threading.Thread(target=run, args=item) for item in works.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert set(taken.values()) == {60}
    assert max(widest) <= 1


def test_the_metronome_holds_back_only_in_slow_motion() -> None:
    metronome = Metronome()
    assert all(metronome.is_time(None) for _ in range(3))
    assert not metronome.is_time(1.0)
    assert metronome.is_time(1e6)


def wishing(conductor: Conductor, *members: str, step: int = 0) -> dict[str, dict[str, frozenset[str]]]:
    """Members of a race, and the desk of each: names of wishes, and of whom they were made."""
    desks: dict[str, dict[str, frozenset[str]]] = {member: {} for member in members}
    for member in members:
        conductor.join(member, step, lambda member=member: desks[member])  # type: ignore[misc]
    return desks


def test_a_wish_made_of_several_waits_until_all_have_got_it() -> None:
    conductor = Conductor()
    desks = wishing(conductor, "a", "b")
    desks["a"]["w"] = frozenset({"a", "b", "not in this race"})
    assert conductor.agreed("a", look=True) == []
    desks["b"]["w"] = desks["a"]["w"]
    assert conductor.agreed("b", look=True) == ["w"]
    assert not conductor.may_go("a", always, 0)  # it has to take the wish first
    assert conductor.agreed("a", look=False) == ["w"]
    assert conductor.may_go("a", always, 0)
    assert conductor.agreed("a", look=True) == []  # once


def test_a_wish_that_comes_when_a_member_has_begun_the_step_is_for_the_next_one() -> None:
    conductor = Conductor()
    desks = wishing(conductor, "a", "b")
    assert conductor.may_go("a", always, 0)
    for desk in desks.values():
        desk["w"] = frozenset(desks)
    assert conductor.agreed("b", look=True) == []
    assert conductor.may_go("b", always, 0)
    conductor.arrive("a", 1)
    assert conductor.agreed("a", look=True) == ["w"]
    assert conductor.agreed("b", look=True) == []  # still at the step before
    conductor.arrive("b", 1)
    assert conductor.agreed("b", look=False) == ["w"]


def test_a_wish_of_a_page_that_ended_in_between_is_taken_by_those_that_got_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lockstep, "GRACE_SECONDS", -1.0)
    conductor = Conductor()
    desks = wishing(conductor, "a", "b")
    desks["a"]["w"] = frozenset(desks)
    assert conductor.agreed("a", look=True) == ["w"]
    assert conductor.agreed("b", look=True) == []


def test_who_waits_in_a_race_that_is_abandoned_is_woken() -> None:
    conductor, ended = Conductor(), threading.Event()
    conductor.join("waits", 1)
    conductor.join("slow", 0)

    def wait() -> None:
        with pytest.raises(Abandoned):
            conductor.may_go("waits", always, 60)
        ended.set()

    thread = threading.Thread(target=wait)
    thread.start()
    conductor.abandon()
    thread.join(10)
    assert ended.is_set()
