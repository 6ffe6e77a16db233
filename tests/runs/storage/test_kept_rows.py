"""What a run keeps of its test split: a random part, one order for all of it, and the rows it came from."""

from pathlib import Path

import numpy as np
import pytest
import torch

from bnvae.config.schema import RunConfig
from bnvae.data import load_dataset
from bnvae.data.dataset import Dataset
from bnvae.data.random_subset import subset_order
from bnvae.jobs.project_runs import map_runs
from bnvae.jobs.train_runs import train_run
from bnvae.metrics.generation import decode_codes
from bnvae.runs import BrokenRunError, Run, RunStore
from bnvae.runs.derived.projected_rows import read_mapped
from bnvae.runs.storage.atomic_files import write_arrays
from bnvae.training.evaluation import encode


@pytest.fixture
def trained(store: RunStore, tiny: RunConfig) -> tuple[Run, Dataset]:
    run = store.create("a", tiny)
    train_run(run)
    return run, load_dataset(tiny.data)


def without_rows(path: Path, **changed: np.ndarray) -> None:
    """The file as earlier versions wrote it."""
    with np.load(path, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files if name != "rows"}
    write_arrays(path, arrays | changed)


def test_all_that_is_kept_comes_in_one_order_that_is_not_the_files(trained: tuple[Run, Dataset]) -> None:
    run, dataset = trained
    order, kept, preview = run.test_order(len(dataset.test)), run.examples, run.preview()
    assert sorted(order.tolist()) == list(range(len(dataset.test)))
    assert not torch.equal(order, order.sort().values)
    assert torch.equal(run.encoded_rows(), order)
    assert torch.equal(kept.rows, order[: len(kept.rows)])
    assert torch.equal(kept.examples, dataset.test.examples[kept.rows])
    assert preview is not None
    assert torch.equal(preview.originals, dataset.validation.examples[subset_order(len(dataset.validation))[:8]])
    (*_, last) = run.snapshots()
    assert torch.equal(last.labels, dataset.test.labels[order[: len(last.labels)]])


def test_encodings_are_those_of_the_rows_beside_them(trained: tuple[Run, Dataset]) -> None:
    run, dataset = trained
    (posterior, labels), rows = run.encodings(), run.encoded_rows()
    expected = encode(run.load_model(), dataset.test.examples)
    torch.testing.assert_close(posterior.mean, expected.mean[rows], atol=2e-3, rtol=2e-3)  # fp16
    assert torch.equal(labels, dataset.test.labels[rows])


def test_a_preview_reconstructs_its_own_originals(trained: tuple[Run, Dataset]) -> None:
    run, dataset = trained
    preview, model = run.preview(), run.load_model()
    assert preview is not None
    means = encode(model, preview.originals).mean
    made = decode_codes(model, dataset.shape, means)
    assert (made.int() - preview.reconstructions.int()).abs().max() <= 1  # other batches round otherwise


def test_causes_and_distortions_belong_to_the_encoded_rows(trained: tuple[Run, Dataset]) -> None:
    run, dataset = trained
    map_runs([run], wanted=(), with_data=True)
    mapped = read_mapped(run, count=len(run.encoded_rows()))
    assert mapped is not None
    assert torch.equal(mapped.examples, dataset.test.examples[run.encoded_rows()][: len(mapped.examples)])
    assert torch.equal(mapped.rows, run.encoded_rows())


def test_a_map_of_other_rows_is_none_and_made_again(trained: tuple[Run, Dataset]) -> None:
    run, dataset = trained
    map_runs([run], wanted=(), with_data=True)
    posterior, labels = run.encodings()
    turned = run.encoded_rows().flip(0)
    run.write_posterior(posterior, labels, rows=turned)
    assert read_mapped(run, count=len(turned)) is None
    map_runs([run], wanted=(), with_data=True)
    mapped = read_mapped(run, count=len(turned))
    assert mapped is not None
    assert torch.equal(mapped.examples, dataset.test.examples[turned][: len(mapped.examples)])


def test_a_run_of_an_earlier_version_keeps_the_order_of_the_file(trained: tuple[Run, Dataset]) -> None:
    run, dataset = trained
    first = dataset.test.examples[:16]
    without_rows(run.folder / "examples.npz", examples=first.numpy(), labels=dataset.test.labels[:16].numpy())
    without_rows(run.folder / "encodings.npz")
    assert torch.equal(run.encoded_rows(), torch.arange(len(dataset.test)))
    assert torch.equal(run.examples.rows, torch.arange(16))
    assert torch.equal(run.test_order(len(dataset.test)), torch.arange(len(dataset.test)))
    run.write_encodings(run.load_model(), dataset)
    assert torch.equal(run.encodings()[1], dataset.test.labels)


@pytest.mark.parametrize("rows", [np.zeros(297, np.int64), np.arange(296), np.arange(297.0), np.arange(-1, 296)])
def test_impossible_rows_are_refused(rows: np.ndarray, trained: tuple[Run, Dataset]) -> None:
    run, _ = trained
    without_rows(run.folder / "encodings.npz", rows=rows)
    with pytest.raises(BrokenRunError, match=r"encodings\.npz: rows is"):
        run.encoded_rows()
