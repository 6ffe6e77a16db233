import itertools
import math
from typing import Any

import pytest
import torch
from torch import Tensor

from bnvae.config.schema import ModelConfig
from bnvae.data.dataset import END, PAD, START, UNKNOWN, TextShape
from bnvae.nn.networks import TextDecoder, build_decoder
from bnvae.nn.networks.likelihoods import token_logits
from bnvae.nn.networks.text_generation import MODES, decode, nucleus

CONFIG = ModelConfig(hidden_units=16, embedding_units=8, latent_dimensions=3, layers=2, attention_heads=2)

both = pytest.mark.parametrize("name", ["lstm", "transformer"])


def decoder_of(name: str, vocabulary: int = 12, max_tokens: int = 8) -> TextDecoder:
    decoder = build_decoder(name, CONFIG, TextShape(vocabulary_size=vocabulary, max_tokens=max_tokens))
    assert isinstance(decoder, TextDecoder)
    with torch.no_grad():
        decoder.output.weight.mul_(6)
        decoder.output.bias[0] += 1  # END, so that sentences of all lengths come up.
    return decoder.eval()


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def log_probs_of_rows(decoder: TextDecoder, z: Tensor, rows: Tensor) -> Tensor:
    """ln p of each token after START, given that it is not UNKNOWN, by teacher forcing."""
    logits = token_logits(decoder.hidden(z, rows[:, :-1]), decoder.output)
    logits[..., UNKNOWN] = -math.inf
    return logits.log_softmax(-1).gather(2, rows[:, 1:, None].long()).squeeze(2)


@both
@pytest.mark.parametrize("mode", MODES)
def test_rows_are_start_words_end_padding(name: str, mode: str) -> None:
    rows = decode(decoder_of(name), torch.randn(50, 3), mode=mode, generator=seeded())
    assert rows.dtype == torch.int32
    assert rows.shape[1] <= 8
    assert (rows[:, -1] != PAD).any(), "as wide as the longest"
    widths = set()
    for row in rows.tolist():
        end = row.index(END)
        assert row[0] == START
        assert all(word > UNKNOWN for word in row[1:end])
        assert set(row[end + 1 :]) <= {PAD}
        widths.add(end)
    assert len(widths) > 1, "sentences of several lengths were compared"


@both
def test_greedy_takes_the_likeliest_token_each_time(name: str) -> None:
    decoder, z = decoder_of(name), torch.randn(30, 3)
    rows = decode(decoder, z)
    logits = token_logits(decoder.hidden(z, rows[:, :-1]), decoder.output)
    logits[..., UNKNOWN] = -math.inf
    chosen = (rows[:, 1:] != PAD) & (torch.arange(1, rows.shape[1]) < decoder.max_tokens - 1)
    assert torch.equal(logits.argmax(-1)[chosen], rows[:, 1:][chosen].long())


@both
def test_a_beam_of_one_is_greedy(name: str) -> None:
    decoder, z = decoder_of(name), torch.randn(40, 3)
    assert torch.equal(decode(decoder, z, mode="beam", beams=1), decode(decoder, z))


@both
def test_a_wide_beam_finds_the_best_of_all_sentences(name: str) -> None:
    decoder, z = decoder_of(name, vocabulary=6, max_tokens=5), 2 * torch.randn(10, 3)
    everything = [
        [START, *words, END] + [PAD] * (3 - length)
        for length in range(4)
        for words in itertools.product((4, 5), repeat=length)
    ]
    candidates = torch.tensor(everything, dtype=torch.int32)
    counted = candidates[:, 1:] != PAD
    best = []
    for code in z:
        log_probs = log_probs_of_rows(decoder, code.expand(len(candidates), -1), candidates)
        per_token = (log_probs * counted).masked_fill(~counted, 0).sum(1) / counted.sum(1)
        best.append(candidates[per_token.argmax()])
    found = decode(decoder, z, mode="beam", beams=len(everything))
    assert torch.equal(torch.nn.functional.pad(found, (0, 5 - found.shape[1])), torch.stack(best))
    assert len({tuple(row.tolist()) for row in found}) > 1


@both
@pytest.mark.parametrize("options", [{"temperature": 1e-30}, {"temperature": 1e-3}, {"top_p": 1e-6}])
def test_sampling_with_little_freedom_is_greedy(name: str, options: dict[str, float]) -> None:
    decoder, z = decoder_of(name), torch.randn(40, 3)
    sampled = decode(decoder, z, mode="sample", generator=seeded(), **options)  # type: ignore[arg-type]
    assert torch.equal(sampled, decode(decoder, z))


def test_samples_follow_the_decoders_probabilities() -> None:
    decoder, count = decoder_of("lstm", vocabulary=7, max_tokens=3), 20_000
    z = torch.randn(1, 3).expand(count, -1)
    first = decode(decoder, z, mode="sample", temperature=2.0, generator=seeded())[:, 1]
    logits, _ = decoder.step(torch.tensor([START]), decoder.start(z[:1]))
    logits[:, UNKNOWN] = -math.inf
    expected = (logits / 2).softmax(1)[0]
    found = torch.bincount(first.long(), minlength=7) / count
    # Five standard errors of a frequency.
    assert ((found - expected).abs() <= 5 * (expected * (1 - expected) / count).sqrt()).all()


def test_samples_are_a_function_of_the_generator() -> None:
    decoder, z = decoder_of("lstm"), torch.randn(40, 3)
    first, again, other = (decode(decoder, z, mode="sample", generator=seeded(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert first.shape != other.shape or not torch.equal(first, other)


@pytest.mark.parametrize(
    ("top_p", "kept"),
    [(0.4, [0.5]), (0.5, [0.5]), (0.6, [0.5, 0.3]), (0.85, [0.5, 0.3, 0.15]), (1.0, [0.5, 0.3, 0.15, 0.05])],
)
def test_the_nucleus_is_the_smallest_likely_enough_set(top_p: float, kept: list[float]) -> None:
    places = [2, 0, 3, 1]
    probabilities = torch.zeros(4)
    probabilities[places] = torch.tensor([0.5, 0.3, 0.15, 0.05])
    expected = torch.zeros(4)
    expected[places[: len(kept)]] = torch.tensor(kept) / sum(kept)
    found = nucleus(probabilities.log()[None], temperature=1.0, top_p=top_p)[0]
    torch.testing.assert_close(found, expected)


def test_max_tokens_shortens_and_two_leave_nothing_but_the_frame() -> None:
    decoder, z = decoder_of("transformer"), torch.randn(20, 3)
    assert decode(decoder, z, max_tokens=5).shape[1] <= 5
    for mode in MODES:
        rows = decode(decoder, z, mode=mode, max_tokens=2)
        assert rows.tolist() == [[START, END]] * 20


def test_a_decoder_in_training_is_read_without_dropout_and_without_gradients() -> None:
    decoder, z = decoder_of("lstm"), torch.randn(20, 3, requires_grad=True)
    expected = decode(decoder, z)
    assert torch.equal(decode(decoder.train(), z), expected)
    assert decoder.training, "the decoder is left as it was"


@pytest.mark.parametrize(
    "options",
    [
        {"mode": "guess"},
        {"temperature": 0.0},
        {"temperature": math.nan},
        {"top_p": 0.0},
        {"top_p": 1.5},
        {"beams": 0},
        {"max_tokens": 1},
        {"max_tokens": 9},
    ],
    ids=str,
)
def test_an_impossible_value_is_refused_by_name(options: dict[str, Any]) -> None:
    (name,) = options
    with pytest.raises(ValueError, match=f"^{name} is"):
        decode(decoder_of("lstm"), torch.randn(1, 3), **options)
