"""Every way through a decoder against plain torch cells run a step at a time."""

import pytest
import torch

from plugins.musicvae.data.tokens import NUM_TOKENS
from plugins.musicvae.models.decoder import InitialState
from plugins.musicvae.models.lstm import NO_TOKEN
from plugins.musicvae.models.sampling import draw_tokens
from plugins.musicvae.models.vae import shift

NUM_ROWS, NUM_STEPS = 6, 48


@pytest.fixture
def tokens():
    return torch.randint(
        0, NUM_TOKENS, (NUM_ROWS, NUM_STEPS), generator=torch.Generator().manual_seed(1)
    )


@pytest.fixture
def noise():
    """Codes [B, Z] float64, and [B, T] uniform numbers for the coins and for the draws."""
    generator = torch.Generator().manual_seed(2)
    z = torch.randn(NUM_ROWS, 5, generator=generator, dtype=torch.float64)
    return z, *torch.rand(2, NUM_ROWS, NUM_STEPS, generator=generator)


def brute_force_inputs(decoder, z, inputs, own, uniforms):
    """Scheduled sampling as defined: a full pass for every step, each reading what was resolved."""
    resolved = inputs.clone()
    with torch.no_grad():
        for t in range(1, inputs.shape[1]):
            logits = decoder.forward_by_step(z, resolved)
            drawn = draw_tokens(logits[:, t - 1], uniforms[:, t - 1])
            resolved[:, t] = torch.where(own[:, t], drawn, inputs[:, t])
    return resolved


PATHS = [
    ("flat", "forward_by_step"),
    ("hierarchical", "forward_by_step"),
    ("hierarchical", "forward_by_bar"),
]


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-13)])
@pytest.mark.parametrize(("kind", "path"), PATHS)
def test_every_teacher_forced_path_gives_the_same_logits(
    make_model, kind, path, dtype, tolerance, tokens, noise
):
    decoder = make_model(kind, dtype).decoder
    z, inputs = noise[0].to(dtype), shift(tokens)
    torch.testing.assert_close(
        getattr(decoder, path)(z, inputs), decoder(z, inputs), rtol=1e-5, atol=tolerance
    )


@pytest.mark.parametrize(("kind", "path"), PATHS)
def test_every_teacher_forced_path_gives_the_same_gradients(make_model, kind, path, tokens, noise):
    decoder = make_model(kind).decoder
    z, inputs = noise[0].requires_grad_(), shift(tokens)
    gradients = []
    for forward in (decoder, getattr(decoder, path)):
        logits = forward(z, inputs)
        weights = torch.linspace(-1, 1, logits.numel(), dtype=logits.dtype).view(logits.shape)
        gradients.append(torch.autograd.grad((logits * weights).sum(), [z, *decoder.parameters()]))
    torch.testing.assert_close(*gradients, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("probability", [0.02, 0.2, 0.7, 1.0])
def test_scheduled_sampling_resolves_to_what_stepping_through_would_feed(
    make_model, kind, probability, tokens, noise
):
    decoder = make_model(kind).decoder
    z, coins, uniforms = noise
    own, inputs = coins < probability, shift(tokens)
    counts = own.clone()
    if kind == "hierarchical":
        counts[:, ::16] = False  # as published: a bar begins with the teacher's token
    expected = brute_force_inputs(decoder, z, inputs, counts, uniforms)
    assert (expected != inputs).any()
    assert torch.equal(decoder.resolve(z, inputs, own, uniforms), expected)


def test_the_first_step_reads_no_token_even_when_everything_is_own(make_model, kind, tokens, noise):
    z, _, uniforms = noise
    inputs = shift(tokens)
    everywhere = torch.ones_like(inputs, dtype=torch.bool)
    resolved = make_model(kind).decoder.resolve(z, inputs, everywhere, uniforms)
    assert (resolved[:, 0] == NO_TOKEN).all()


def test_nothing_runs_when_no_step_reads_a_draw(make_model, kind, tokens, noise):
    inputs = shift(tokens)
    only_first = torch.zeros_like(inputs, dtype=torch.bool)
    only_first[:, 0] = True
    resolved = make_model(kind).decoder.resolve(noise[0], inputs, only_first, noise[2])
    assert torch.equal(resolved, inputs)


def test_generating_is_scheduled_sampling_with_every_step_own(make_model, kind, tokens, noise):
    decoder = make_model(kind).decoder
    z, _, uniforms = noise
    first = torch.full((NUM_ROWS,), NO_TOKEN)
    written = decoder.generate(z, first, uniforms, 1.0)
    everywhere = torch.ones_like(uniforms, dtype=torch.bool)
    fed = brute_force_inputs(decoder, z, shift(tokens), everywhere, uniforms)
    assert torch.equal(written[:, :-1], fed[:, 1:])


def test_argmax_generation_writes_the_most_probable_token_of_its_own_past(make_model, kind, noise):
    decoder = make_model(kind).decoder
    first = torch.full((NUM_ROWS,), NO_TOKEN)
    written = decoder.generate(noise[0], first, noise[2], 0)
    logits = decoder.forward_by_step(noise[0], shift(written))
    assert torch.equal(logits.argmax(-1), written)


def test_the_initial_state_is_one_tanh_of_one_linear_map_split_over_layers():
    torch.manual_seed(0)
    initial = InitialState(4, 3, 2)
    vector = torch.randn(5, 4)
    hidden, cell = initial(vector)
    assert hidden.shape == cell.shape == (2, 5, 3)
    together = torch.cat([*hidden, *cell], dim=1)
    torch.testing.assert_close(together, initial.linear(vector).tanh())


def test_a_bar_reads_nothing_of_the_bars_before_but_their_last_token(make_model, tokens, noise):
    decoder = make_model("hierarchical").decoder
    changed = tokens.clone()
    changed[:, :15] = (changed[:, :15] + 1) % NUM_TOKENS
    before, after = (decoder(noise[0], shift(melody)) for melody in (tokens, changed))
    assert torch.equal(before[:, 16:], after[:, 16:])


def test_the_first_step_of_a_bar_reads_the_last_token_of_the_bar_before(make_model, tokens, noise):
    decoder = make_model("hierarchical").decoder
    changed = tokens.clone()
    changed[:, 15] = (changed[:, 15] + 1) % NUM_TOKENS
    before, after = (decoder(noise[0], shift(melody)) for melody in (tokens, changed))
    assert not torch.isclose(before[:, 16], after[:, 16]).all()
