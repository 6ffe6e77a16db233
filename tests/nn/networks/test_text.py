import dataclasses
import itertools

import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence

from bnvae.config.schema import ModelConfig
from bnvae.data.dataset import END, PAD, START, TextShape
from bnvae.nn.networks import TextDecoder, build_decoder, build_encoder
from bnvae.nn.networks.likelihoods import token_logits
from bnvae.nn.networks.lstm import LstmDecoder, LstmEncoder

CONFIG = ModelConfig(hidden_units=16, embedding_units=8, latent_dimensions=3, layers=2, attention_heads=4)
SHAPE = TextShape(vocabulary_size=11, max_tokens=9)
WORDS = range(END + 1, SHAPE.vocabulary_size)

both = pytest.mark.parametrize("name", ["lstm", "transformer"])


def decoder_of(name: str, shape: TextShape = SHAPE) -> TextDecoder:
    decoder = build_decoder(name, CONFIG, shape)
    assert isinstance(decoder, TextDecoder)
    with torch.no_grad():
        decoder.output.weight.mul_(5)  # An untrained decoder predicts every token alike, which would hide mistakes.
    return decoder.eval()


def sentences(lengths: list[int]) -> Tensor:
    """Rows with so many words, as a `Split` stores them."""
    rows = torch.full((len(lengths), max(lengths) + 2), PAD, dtype=torch.int32)
    for row, length in zip(rows, lengths, strict=True):
        row[0], row[length + 1] = START, END
        row[1 : length + 1] = torch.randint(WORDS.start, WORDS.stop, (length,))
    return rows


@both
def test_all_sentences_and_the_unfinished_ones_have_probability_one(name: str) -> None:
    decoder, z, most_words = decoder_of(name, TextShape(vocabulary_size=5, max_tokens=7)), torch.randn(1, 3), 4
    total = 0.0
    for length in range(most_words + 2):
        # What goes on after more words than `most_words` is counted once, as a beginning without END.
        ending = [END] if length <= most_words else []
        rows = torch.tensor([[START, *words, *ending] for words in itertools.product((3, 4), repeat=length)])
        total += decoder.likelihood(z.expand(len(rows), -1), rows).log_prob(rows).exp().sum().item()
    assert total == pytest.approx(1, abs=1e-5)


@both
def test_stepping_gives_the_logits_of_teacher_forcing(name: str) -> None:
    decoder, z, rows = decoder_of(name), torch.randn(4, 3), sentences([7, 7, 7, 7])
    expected = token_logits(decoder.hidden(z, rows), decoder.output)
    state = decoder.start(z)
    for position in range(rows.shape[1]):
        logits, state = decoder.step(rows[:, position], state)
        torch.testing.assert_close(logits, expected[:, position], rtol=1e-4, atol=1e-4)


@both
def test_a_step_leaves_the_state_before_it_alone_and_reordering_takes_rows_along(name: str) -> None:
    decoder, z, rows = decoder_of(name), torch.randn(3, 3), sentences([4, 4, 4])
    _, before = decoder.step(rows[:, 0], decoder.start(z))
    decoder.step(rows[:, 2], before)
    expected, _ = decoder.step(rows[:, 1], before)
    index = torch.tensor([2, 0, 0, 1])
    found, _ = decoder.step(rows[index, 1], decoder.reorder(before, index))
    torch.testing.assert_close(found, expected[index])


@both
def test_padding_changes_neither_log_probabilities_nor_features(name: str) -> None:
    decoder, encoder = decoder_of(name), build_encoder(name, CONFIG, SHAPE)
    z, rows = torch.randn(3, 3), sentences([5, 2, 0])
    wider = torch.nn.functional.pad(rows, (0, 2), value=PAD)
    torch.testing.assert_close(
        decoder.likelihood(z, wider).log_prob(wider), decoder.likelihood(z, rows).log_prob(rows), rtol=1e-5, atol=1e-5
    )
    torch.testing.assert_close(encoder(wider), encoder(rows), rtol=1e-5, atol=1e-5)
    for z_of_one, row, together in zip(z, rows, encoder(rows), strict=True):
        alone = row[row != PAD][None]
        torch.testing.assert_close(encoder(alone)[0], together, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(
            decoder.likelihood(z_of_one[None], alone).log_prob(alone),
            decoder.likelihood(z_of_one[None], row[None]).log_prob(row[None]),
            rtol=1e-5,
            atol=1e-5,
        )


@both
def test_a_later_token_changes_nothing_before_it_and_something_from_it_on(name: str) -> None:
    decoder, z, rows = decoder_of(name), torch.randn(2, 3), sentences([7, 7])
    before = decoder.hidden(z, rows)
    rows[:, 4] = torch.where(rows[:, 4] == 5, 6, 5)
    after = decoder.hidden(z, rows)
    torch.testing.assert_close(after[:, :4], before[:, :4])
    assert ((after - before)[:, 4:].abs().amax(2) > 1e-5).all()


@both
def test_z_reaches_every_position(name: str) -> None:
    decoder, rows = decoder_of(name), sentences([7])
    hidden, moved = (decoder.hidden(z, rows) for z in (torch.zeros(1, 3), torch.ones(1, 3)))
    assert ((hidden - moved).abs().amax(2) > 1e-3).all()


@both
def test_the_encoder_sees_every_token_and_not_only_the_last(name: str) -> None:
    encoder, rows = build_encoder(name, CONFIG, SHAPE), sentences([6])
    features = encoder(rows)
    for position in range(1, 7):
        changed = rows.clone()
        changed[0, position] = 5 if rows[0, position] != 5 else 6
        assert (encoder(changed) - features).abs().max() > 1e-5


@both
def test_every_parameter_receives_a_gradient(name: str) -> None:
    decoder, encoder, rows = decoder_of(name).train(), build_encoder(name, CONFIG, SHAPE), sentences([7] * 32)
    features = encoder(rows)
    z = torch.stack([features[:, 0], features[:, -1], features.mean(1)], dim=1)  # of all of them
    torch.autograd.backward(decoder.likelihood(z, rows).log_prob(rows).mean())
    for part, parameter in [*encoder.named_parameters(), *decoder.named_parameters()]:
        assert parameter.grad is not None, part
        assert parameter.grad.any(), part


@both
def test_under_autocast_log_probabilities_stay_float32_and_close(name: str) -> None:
    decoder, encoder, rows, z = (
        decoder_of(name),
        build_encoder(name, CONFIG, SHAPE),
        sentences([7, 3]),
        torch.randn(2, 3),
    )
    with torch.autocast("cpu", torch.bfloat16):
        found = decoder.likelihood(z, rows).log_prob(rows)
        encoder(rows)
        decoder.step(rows[:, 1], decoder.step(rows[:, 0], decoder.start(z))[1])
    assert found.dtype == torch.float32
    # bf16 keeps 8 bits of each logit.
    torch.testing.assert_close(found, decoder.likelihood(z, rows).log_prob(rows), rtol=0.02, atol=0.2)


def test_the_lstm_encoder_stops_at_the_end_of_each_sentence_as_a_packed_one_does() -> None:
    config = dataclasses.replace(CONFIG, bidirectional=False, pooling="last")
    encoder, rows = LstmEncoder(config, SHAPE), sentences([6, 0, 3])
    packed = pack_padded_sequence(encoder.embedding(rows), (rows != PAD).sum(1), batch_first=True, enforce_sorted=False)
    _, (hidden, _) = torch.nn.LSTM.forward(encoder.lstm, packed)
    torch.testing.assert_close(encoder(rows), hidden[0])


def test_the_lstm_decoder_starts_from_z_as_in_the_paper() -> None:
    decoder, z = LstmDecoder(CONFIG, SHAPE), torch.randn(2, 3)
    _, hidden, cell = decoder.start(z)
    torch.testing.assert_close(cell, z @ decoder.first_cell.weight.T)
    torch.testing.assert_close(hidden, cell.tanh())


def test_the_transformer_refuses_a_row_longer_than_its_positions() -> None:
    rows = sentences([8])
    with pytest.raises(ValueError, match=r"a row has 10 tokens.*9 positions.*cut the row"):
        build_encoder("transformer", CONFIG, SHAPE)(rows)
    # A decoder does not read the last token.
    with pytest.raises(ValueError, match="cut the row"):
        decoder_of("transformer").hidden(torch.randn(1, 3), rows)
