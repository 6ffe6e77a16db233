"""The album of a training: when its moments are taken, and how damaged ones are told."""

import itertools

import pytest
import torch

from bnvae.runs import BrokenRunError, Run
from bnvae.runs.artifacts import snapshots


@pytest.mark.parametrize("steps", [1, 2, 5, 24, 100, 100_000])
@pytest.mark.parametrize("size_bytes", [1, 200_000, 2**20])
def test_plans_begin_with_the_first_step_and_end_with_the_last_within_the_limits(steps: int, size_bytes: int) -> None:
    plan = snapshots.planned(steps, size_bytes)
    assert (plan[0], plan[-1]) == (1, steps)
    assert plan == sorted(set(plan))
    assert len(plan) <= snapshots.MOST_SNAPSHOTS
    assert len(plan) * size_bytes <= snapshots.MOST_BYTES


@pytest.mark.parametrize(("steps", "count"), [(100, 8), (800, 8), (936, 9), (1_500, 15), (2_400, 23), (10**6, 24)])
def test_a_short_training_has_fewer_snapshots_than_a_long_one(steps: int, count: int) -> None:
    # Of 24 between steps 1 and 2,400 two are the same when rounded.
    assert len(snapshots.planned(steps, 1)) == count


def test_plans_are_spaced_by_equal_factors() -> None:
    plan = snapshots.planned(10**8, 1)
    factors = [later / earlier for earlier, later in itertools.pairwise(plan[4:])]
    assert max(factors) / min(factors) < 1.05  # rounding to whole steps


def test_an_album_has_the_first_and_the_last_step(run: Run) -> None:
    steps = [snapshot.step for snapshot in run.snapshots()]
    assert (steps[0], steps[-1]) == (1, run.status.total_steps)


def test_no_file_is_larger_than_was_planned(run: Run) -> None:
    moment = run.snapshots()[0]
    files = list((run.folder / snapshots.FOLDER).glob("*.npz"))
    raw = 4 * moment.mean.numel() + 8 * len(moment.labels) + moment.samples.nbytes + moment.reconstructions.nbytes
    assert max(path.stat().st_size for path in files) <= raw + snapshots.ARCHIVE_BYTES


@pytest.mark.parametrize("damage", ["empty", "cut", "no zip", "not a step"])
def test_a_damaged_snapshot_is_a_broken_run_that_names_the_file(damage: str, image_run: Run) -> None:
    path = sorted((image_run.folder / snapshots.FOLDER).glob("*.npz"))[1]
    content = path.read_bytes()
    if damage == "not a step":
        path = path.rename(path.with_name("1x.npz"))
    else:
        path.write_bytes({"empty": b"", "cut": content[: len(content) // 2], "no zip": b"x" * 500}[damage])
    with pytest.raises(BrokenRunError, match=f"image/snapshots/{path.name}"):
        image_run.snapshots()


def test_a_run_without_an_album_has_no_snapshots(image_run: Run) -> None:
    for path in (image_run.folder / snapshots.FOLDER).iterdir():
        path.unlink()
    assert image_run.snapshots() == []


def test_codes_too_large_for_half_the_bytes_are_cut_without_a_word(image_run: Run) -> None:
    before = image_run.snapshots()[0]
    huge = snapshots.Snapshot(
        step=1,
        mean=torch.full_like(before.mean, 1e9),
        std=before.std,
        labels=before.labels,
        samples=before.samples,
        reconstructions=before.reconstructions,
    )
    snapshots.save(image_run.folder, huge)
    assert image_run.snapshots()[0].mean.max() == 65504  # the largest number of fp16
