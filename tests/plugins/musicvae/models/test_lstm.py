"""TokenLSTM against nn.LSTM with the same parameters, on one-hot input."""

import pytest
import torch
from torch import nn

from plugins.musicvae.data.tokens import NUM_TOKENS
from plugins.musicvae.models import lstm as lstm_module
from plugins.musicvae.models.lstm import NO_TOKEN, TokenLSTM, one_hot

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}


@pytest.fixture(autouse=True, params=["own", "own, in blocks of rows", "torch's"])
def token_node(request, monkeypatch):
    """Each test runs with every form that the token layer takes on a CPU."""
    threshold = 10**9 if request.param == "torch's" else 0
    monkeypatch.setattr(lstm_module, "UNITS_PER_THREAD", threshold)
    if request.param == "own, in blocks of rows":
        monkeypatch.setattr(lstm_module, "ROWS_AT_ONCE", 2)


def twin(lstm):
    """An nn.LSTM with the parameters of a TokenLSTM."""
    plain = nn.LSTM(
        lstm.input_size, lstm.hidden_size, lstm.num_layers, bidirectional=lstm.bidirectional
    ).to(lstm.weight_ih_l0.dtype)
    plain.load_state_dict(lstm.state_dict())
    return plain


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("num_layers", [1, 3])
@pytest.mark.parametrize("context_size", [0, 5])
def test_it_equals_nn_lstm_on_one_hot_input(dtype, bidirectional, num_layers, context_size):
    torch.manual_seed(0)
    lstm = TokenLSTM(7, num_layers, context_size=context_size, bidirectional=bidirectional).to(
        dtype
    )
    tokens = torch.randint(0, NUM_TOKENS + 1, (9, 4))
    context = torch.randn(4, context_size, dtype=dtype) if context_size else None
    state = tuple(torch.randn(2, num_layers * (1 + bidirectional), 4, 7, dtype=dtype))
    features = one_hot(tokens, dtype)
    if context is not None:
        features = torch.cat([features, context.expand(9, -1, -1)], dim=-1)
    torch.testing.assert_close(
        lstm(tokens, context, state),
        twin(lstm)(features, state),
        rtol=0,
        atol=TOLERANCE[dtype],
    )


def test_the_state_starts_at_zero():
    torch.manual_seed(0)
    lstm = TokenLSTM(6, 2)
    tokens = torch.randint(0, NUM_TOKENS, (5, 3))
    zeros = torch.zeros(2, 3, 6)
    torch.testing.assert_close(lstm(tokens), lstm(tokens, None, (zeros, zeros)))


def test_stepping_gives_the_outputs_of_the_whole_pass():
    torch.manual_seed(0)
    lstm = TokenLSTM(6, 3, context_size=4).double()
    tokens = torch.randint(0, NUM_TOKENS + 1, (8, 3))
    context = torch.randn(3, 4, dtype=torch.float64)
    state = tuple(torch.randn(2, 3, 3, 6, dtype=torch.float64))
    whole, _ = lstm(tokens, context, state)
    with torch.no_grad():
        step = lstm.stepper()
        step.start(context, state)
        stepped = torch.stack([step(fed) for fed in tokens])
    torch.testing.assert_close(stepped, whole, rtol=0, atol=1e-13)


def test_stepping_leaves_the_initial_state_as_it_was():
    lstm = TokenLSTM(6, 1, context_size=2)
    state = tuple(torch.randn(2, 1, 3, 6))
    before = tuple(part.clone() for part in state)
    with torch.no_grad():
        step = lstm.stepper()
        step.start(torch.randn(3, 2), state)
        step(torch.zeros(3, dtype=torch.long))
    assert all(torch.equal(a, b) for a, b in zip(state, before, strict=True))


def test_a_bidirectional_lstm_refuses_to_step():
    lstm = TokenLSTM(6, 1, bidirectional=True)
    with pytest.raises(ValueError, match="bidirectional"):
        lstm.stepper()


def test_no_token_is_an_all_zero_vector():
    vectors = one_hot(torch.tensor([3, NO_TOKEN]), torch.float32)
    assert vectors.shape == (2, NUM_TOKENS)
    assert vectors[0].nonzero().tolist() == [[3]]
    assert not vectors[1].any()


def test_autocast_leaves_the_recurrence_in_the_precision_of_its_weights():
    torch.manual_seed(0)
    lstm = TokenLSTM(8, 2, context_size=3)
    tokens, context = torch.randint(0, NUM_TOKENS, (6, 4)), torch.randn(4, 3).bfloat16()
    state = tuple(torch.randn(2, 2, 4, 8).bfloat16())
    exact, _ = lstm(tokens, context.float(), tuple(part.float() for part in state))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        hidden, _ = lstm(tokens, context, state)
    assert torch.equal(hidden, exact)


@pytest.mark.parametrize("num_rows", [1, 255, 256, 511, 512, 700, 1025])
def test_blocks_cover_the_rows_once_and_none_is_small(num_rows):
    blocks = lstm_module._blocks(num_rows)
    covered = [row for block in blocks for row in range(num_rows)[block]]
    assert covered == list(range(num_rows))
    sizes = [block.stop - block.start for block in blocks]
    assert min(sizes) >= min(num_rows, lstm_module.ROWS_AT_ONCE)
    assert max(sizes) < 2 * lstm_module.ROWS_AT_ONCE
