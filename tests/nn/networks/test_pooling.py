import dataclasses
from typing import get_args

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from bnvae.config.schema import ModelConfig, PoolingName
from bnvae.data.dataset import END, PAD, START, TextShape
from bnvae.nn.networks import Encoder, build_encoder
from bnvae.nn.networks.lstm import LstmEncoder
from bnvae.nn.networks.pooling import POOLINGS, AttendedState, reversed_positions

CONFIG = ModelConfig(hidden_units=16, embedding_units=8, latent_dimensions=3, layers=2, attention_heads=4)
SHAPE = TextShape(vocabulary_size=11, max_tokens=12)
ROWS = torch.tensor(
    [
        [START, 5, 6, 7, 8, 9, END],
        [START, 9, 4, END, PAD, PAD, PAD],
        [START, END, PAD, PAD, PAD, PAD, PAD],
    ],
    dtype=torch.int32,
)
LENGTHS = [7, 4, 2]
STATES = torch.tensor([[[4.0, -8.0], [6.0, -1.0], [2.0, -3.0], [90.0, 90.0]]])
"""two units at three tokens and at one padding"""
TOKENS = torch.tensor([[START, 5, END, PAD]])

every_pooling = pytest.mark.parametrize("pooling", get_args(PoolingName))
every_encoder = pytest.mark.parametrize(
    ("network", "bidirectional"), [("lstm", False), ("lstm", True), ("transformer", False)]
)


def encoder_of(network: str, pooling: PoolingName, *, bidirectional: bool) -> Encoder:
    config = dataclasses.replace(CONFIG, pooling=pooling, bidirectional=bidirectional)
    return build_encoder(network, config, SHAPE).eval()


def test_every_pooling_that_a_configuration_may_name_exists() -> None:
    assert set(POOLINGS) == set(get_args(PoolingName))


@pytest.mark.parametrize(("pooling", "expected"), [("last", [2.0, -3.0]), ("mean", [4.0, -4.0]), ("max", [6.0, -1.0])])
def test_pooling_by_hand(pooling: str, expected: list[float]) -> None:
    torch.testing.assert_close(POOLINGS[pooling](2)(STATES, TOKENS), torch.tensor([expected]))


def test_attention_is_a_mean_with_weights_that_sum_to_one_over_the_tokens() -> None:
    pooling, states = AttendedState(4), torch.randn(3, 7, 4)
    weights = pooling.weights(states, ROWS)
    torch.testing.assert_close(weights.sum(1), torch.ones(3))
    assert bool((weights[ROWS == PAD] == 0).all())
    assert bool((weights[ROWS != PAD] > 0).all())
    torch.testing.assert_close(pooling(states, ROWS), (weights[:, :, None] * states).sum(1))


def test_attention_by_hand() -> None:
    pooling = AttendedState(2)
    with torch.no_grad():
        pooling.key.weight.copy_(torch.eye(2))
        pooling.key.bias.zero_()
        pooling.query.weight.copy_(torch.tensor([[1.0, 0.0]]))
    scores = [torch.tensor(value).tanh().exp().item() for value in (4.0, 6.0, 2.0)]
    expected = [
        sum(s * v for s, v in zip(scores, unit, strict=True)) / sum(scores) for unit in ([4, 6, 2], [-8, -1, -3])
    ]
    torch.testing.assert_close(pooling(STATES, TOKENS), torch.tensor([expected]))


def test_a_row_of_padding_alone_has_finite_features() -> None:
    for name in POOLINGS:
        assert POOLINGS[name](2)(STATES, torch.full((1, 4), PAD)).isfinite().all()


def test_reading_from_the_end_turns_each_sentence_within_its_length() -> None:
    turned = ROWS.gather(1, reversed_positions(ROWS))
    assert turned.tolist() == [
        [END, 9, 8, 7, 6, 5, START],
        [END, 4, 9, START, PAD, PAD, PAD],
        [END, START, PAD, PAD, PAD, PAD, PAD],
    ]
    torch.testing.assert_close(turned.gather(1, reversed_positions(ROWS)), ROWS)


@every_encoder
@every_pooling
def test_features_depend_on_neither_padding_nor_other_rows(
    network: str, bidirectional: bool, pooling: PoolingName
) -> None:
    encoder = encoder_of(network, pooling, bidirectional=bidirectional)
    features = encoder(ROWS)
    assert features.shape == (3, encoder.features)
    wider = nn.functional.pad(ROWS, (0, 4), value=PAD)
    # Sums in another order: 1e-5 of features of about one.
    torch.testing.assert_close(encoder(wider), features, rtol=1e-5, atol=1e-5)
    for row, length, together in zip(ROWS, LENGTHS, features, strict=True):
        torch.testing.assert_close(encoder(row[None, :length])[0], together, rtol=1e-5, atol=1e-5)


@every_encoder
@every_pooling
def test_every_token_reaches_the_features_and_every_parameter_a_gradient(
    network: str, bidirectional: bool, pooling: PoolingName
) -> None:
    encoder = encoder_of(network, pooling, bidirectional=bidirectional)
    rows = torch.randint(END + 1, SHAPE.vocabulary_size, (64, 8))
    rows[:, 0], rows[:, -1] = START, END
    features = encoder(rows)
    for position in range(1, 7):
        changed = rows.clone()
        changed[:, position] = torch.where(rows[:, position] == 5, 6, 5)
        # With `max` a token may go unheard in one sentence, not in all.
        assert (encoder(changed) - features).abs().max() > 1e-5
    torch.autograd.backward(features.square().sum())
    for name, parameter in encoder.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.any(), name


def torch_states(encoder: LstmEncoder, rows: Tensor) -> tuple[Tensor, Tensor]:
    """States and last states of torch's own bidirectional LSTM with the encoder's weights, over packed sentences."""
    twin = nn.LSTM(CONFIG.embedding_units, CONFIG.hidden_units, batch_first=True, bidirectional=True)
    weights = dict(encoder.lstm.named_parameters())
    weights |= {f"{name}_reverse": value for name, value in encoder.lstm_from_end.named_parameters()}
    twin.load_state_dict(weights)
    lengths = (rows != PAD).sum(1)
    packed = pack_padded_sequence(encoder.embedding(rows), lengths, batch_first=True, enforce_sorted=False)
    states, (last, _) = twin(packed)
    return pad_packed_sequence(states, batch_first=True)[0], last


@pytest.mark.parametrize("pooling", ["mean", "max", "attention"])
def test_both_directions_have_the_states_of_a_packed_bidirectional_lstm(pooling: PoolingName) -> None:
    encoder = encoder_of("lstm", pooling, bidirectional=True)
    assert isinstance(encoder, LstmEncoder)
    states, _ = torch_states(encoder, ROWS)
    torch.testing.assert_close(encoder(ROWS), encoder.pooling(states, ROWS))


def test_the_last_state_of_each_direction_has_read_the_whole_sentence() -> None:
    encoder = encoder_of("lstm", "last", bidirectional=True)
    assert isinstance(encoder, LstmEncoder)
    _, last = torch_states(encoder, ROWS)
    torch.testing.assert_close(encoder(ROWS), torch.cat(list(last), dim=1))
