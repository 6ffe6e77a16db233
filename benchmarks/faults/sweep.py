"""Every file operation of a short training goes wrong in turn, as SQLite's tests do it: www.sqlite.org/testing.html."""

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from benchmarks.faults.disk import KINDS, Fault, FaultKind
from benchmarks.faults.lives import KILLED, REFUSED, UNDISTURBED, config_of, differing, live, outcome
from bnvae.runs import Run, RunStore

STEPS = 3
"""with a checkpoint after each: the third overwrites the first one's slot"""


@dataclass(frozen=True, kw_only=True)
class Short:
    """A life of few operations, and what it leaves undisturbed."""

    name: str
    begins: Path
    """the folder of a run as it is before that life"""
    wanted: dict[str, bytes]
    seen: list[str]
    """the operations of its disk, in order"""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What one fault led to."""

    operation: str
    """that went wrong: "write history.jsonl" """
    ended: int
    """how the first life did: 0 in order, `REFUSED`, `KILLED`; everything else is a fault of ours"""
    said: str
    """by the run's status afterwards"""
    wrong: list[str]
    """names of what differs from an undisturbed training after a second life, and what else should not be"""


def short_lives(store: RunStore, modality: str) -> tuple[Short, Short]:
    """From a run's beginning; and from where it was killed while it saved its second checkpoint."""
    config = config_of("rms-scaler", modality, epochs=STEPS)
    config = replace(
        config,
        data=replace(config.data, training_examples=config.training.batch_size),
        training=replace(config.training, record_every=1),
    )
    new = store.create(store.free_id("new"), config)
    new.desk.request("beta", 2.0)  # taken before the first step, so that requests and changes are among the files
    whole = _copied(store, new.folder)
    ended, seen = live(whole, checkpoint_seconds=-1.0, fault=UNDISTURBED)
    assert ended == 0, whole.status.message
    wanted = outcome(whole)
    killed = _copied(store, new.folder)
    at = seen.index("replace .trainer-1.json~") + 1
    live(killed, checkpoint_seconds=-1.0, fault=Fault(kind="exit", number=at))
    resumed = _copied(store, killed.folder)
    ended, then = live(resumed, checkpoint_seconds=-1.0, fault=UNDISTURBED)
    assert ended == 0, resumed.status.message
    assert differing(resumed, wanted) == []
    return (
        Short(name=f"{modality}, new", begins=new.folder, wanted=wanted, seen=seen),
        Short(name=f"{modality}, resumed", begins=killed.folder, wanted=wanted, seen=then),
    )


def _copied(store: RunStore, folder: Path) -> Run:
    run_id = store.free_id("copy")
    shutil.copytree(folder, store.root / run_id)
    return store.get(run_id)


def strike(store: RunStore, short: Short, fault: Fault) -> Found:
    """One fault in a life, then another life."""
    run = _copied(store, short.begins)
    ended, _ = live(run, checkpoint_seconds=-1.0, fault=fault)
    status = run.status
    live(run, checkpoint_seconds=-1.0)
    # A wish that can't be read is refused, and said to be: the training goes on without it, to other bytes.
    wrong = [] if "A change was refused" in status.message else differing(run, short.wanted)
    wrong += [f"{path.name} was left" for path in run.folder.rglob(".*.part")]
    wrong += [f"a life ended with {ended}"] * (ended not in (0, REFUSED, KILLED))
    wrong += ["it failed without a word"] * (status.state == "failed" and not status.message)
    shutil.rmtree(run.folder)
    said = f"{status.state}: {status.message}"
    return Found(operation=short.seen[fault.number - 1], ended=ended, said=said, wrong=wrong)


def faults(short: Short, kinds: Sequence[FaultKind] = KINDS) -> Iterator[Fault]:
    """All of them, one kind after the other; half a write only where something is written."""
    for kind in kinds:
        for index, name in enumerate(short.seen):
            if kind != "short" or name.startswith("write "):
                yield Fault(kind=kind, number=index + 1)


def sweep(store: RunStore, short: Short, log: Path) -> dict[Fault, Found]:
    """All faults, those in the log taken from there, each other one added to it when it is done."""
    done = {}
    for line in log.read_text().splitlines() if log.exists() else []:
        stored = json.loads(line)
        if stored.get("swept") == short.name:
            done[Fault(**stored["fault"])] = Found(**stored["found"])
    for fault in faults(short):
        if fault in done:
            continue
        done[fault] = strike(store, short, fault)
        with log.open("a") as file:
            file.write(json.dumps({"swept": short.name, "fault": asdict(fault), "found": asdict(done[fault])}) + "\n")
    return done
