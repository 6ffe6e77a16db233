"""Order and noise as pure functions of seed, epoch and step."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from bnvae.data.dataset import Split
from bnvae.training.sampler import Batches, check_batch_norm, in_chunks, mix, row_lengths

CPU = torch.device("cpu")
SENTENCES = torch.tensor([[1, 9, 2, 0, 0], [1, 9, 9, 9, 2], [1, 2, 0, 0, 0], [1, 9, 9, 2, 0]], dtype=torch.int32)


def split(examples: Tensor) -> Split:
    return Split(examples=examples, labels=torch.full((len(examples),), -1))


def pictures(count: int) -> Split:
    return split(torch.arange(count, dtype=torch.uint8).view(count, 1, 1, 1))


@given(count=st.integers(1, 60), size=st.integers(1, 70), seed=st.integers(0, 2**31 - 1), epoch=st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_an_epoch_shows_every_example_at_most_once(count: int, size: int, seed: int, epoch: int) -> None:
    batches = Batches(pictures(count), size, seed, CPU)
    steps = batches.steps_per_epoch
    shown = torch.cat([batches[epoch * steps + step].flatten() for step in range(steps)]).tolist()
    assert len(set(shown)) == len(shown) == steps * batches.batch_size
    assert count - len(shown) < batches.batch_size  # only the last, smaller batch is left out


def test_the_order_is_a_function_of_seed_and_epoch_and_not_of_what_was_asked_before() -> None:
    one, other = Batches(pictures(50), 8, 3, CPU), Batches(pictures(50), 8, 3, CPU)
    backwards = {step: other[step] for step in reversed(range(18))}
    assert all(torch.equal(one[step], backwards[step]) for step in range(18))


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    orders = {
        tuple(Batches(pictures(50), 8, seed, CPU).order(epoch).tolist()) for seed in range(6) for epoch in range(6)
    }
    assert len(orders) == 36


def test_neighbouring_seeds_and_counters_never_collide() -> None:
    mixed = {mix(seed, purpose, counter) for seed in range(30) for purpose in range(4) for counter in range(100)}
    assert len(mixed) == 30 * 4 * 100
    assert all(0 <= value < 2**63 for value in mixed)


def test_neighbouring_seeds_differ_in_half_their_bits() -> None:
    flips = [bin(mix(seed, 2, 0) ^ mix(seed + 1, 2, 0)).count("1") for seed in range(200)]
    assert 28 < sum(flips) / len(flips) < 35  # 31.5 of 63, give or take four standard errors and more


def test_sentences_are_trimmed_to_the_longest_of_their_batch() -> None:
    batches = Batches(split(SENTENCES), 2, 0, CPU)
    for step in range(8):
        batch = batches[step]
        assert batch.shape[1] == row_lengths(batch).max()


def test_a_batch_mixes_lengths() -> None:
    # Sorted by length in the data, but not in the batches.
    lengths = torch.arange(2, 34).repeat_interleave(4)
    rows = torch.zeros(128, 33, dtype=torch.int32)
    for row, length in zip(rows, lengths, strict=True):
        row[:length] = 9
    batches = Batches(split(rows), 16, 0, CPU)
    assert all(len(row_lengths(batches[step]).unique()) > 4 for step in range(8))  # type: ignore[no-untyped-call]


def test_chunks_cover_all_examples_in_order() -> None:
    chunks = list(in_chunks(SENTENCES, 3))
    assert [tuple(chunk.shape) for chunk in chunks] == [(3, 5), (1, 4)]
    assert torch.equal(chunks[1], SENTENCES[3:, :4])


def test_fewer_examples_than_a_batch_are_one_batch() -> None:
    batches = Batches(pictures(5), 64, 0, CPU)
    assert (batches.batch_size, batches.steps_per_epoch, len(batches[0])) == (5, 1, 5)


def test_no_examples_are_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        Batches(pictures(0), 8, 0, CPU)


def test_too_few_examples_for_batch_norm_are_refused_with_the_reason() -> None:
    with pytest.raises(ValueError, match=r"training_examples is 7.*8 or more.*gaussian"):
        check_batch_norm(pictures(7), head_is_normalised=True)
    check_batch_norm(pictures(8), head_is_normalised=True)
    check_batch_norm(pictures(7), head_is_normalised=False)
