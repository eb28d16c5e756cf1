"""Figures worked out by hand, and an evaluation that repeats itself."""

import math

import pytest
import torch

from plugins.musicvae.config import DecoderKind, ModelConfig
from plugins.musicvae.data.tokens import NO_EVENT, NOTE_OFF
from plugins.musicvae.metrics import (
    accuracy,
    evaluate,
    exact_matches,
    majority_class,
    note_accuracy,
)
from plugins.musicvae.models import MusicVAE

TARGET = torch.tensor([[60, NO_EVENT, 62, NO_EVENT], [0, NOTE_OFF, NO_EVENT, NO_EVENT]])
PREDICTED = torch.tensor([[60, NO_EVENT, 61, NO_EVENT], [0, NOTE_OFF, NO_EVENT, NO_EVENT]])


@pytest.fixture(params=["flat", "hierarchical"])
def model(request):
    torch.manual_seed(0)
    sizes = dict.fromkeys(
        ["latent_size", "encoder_size", "decoder_size", "conductor_size", "bar_decoder_size"], 6
    )
    return MusicVAE(ModelConfig(decoder=DecoderKind[request.param], **sizes), bars=2)


@pytest.fixture
def melodies():
    generator = torch.Generator().manual_seed(0)
    return torch.randint(55, 130, (7, 32), generator=generator, dtype=torch.uint8)


def test_accuracy_counts_every_step():
    assert accuracy(PREDICTED, TARGET) == 7 / 8


def test_note_accuracy_counts_the_steps_whose_target_starts_a_note():
    assert note_accuracy(PREDICTED, TARGET) == 2 / 3


def test_note_accuracy_of_silence_is_undefined():
    assert math.isnan(note_accuracy(TARGET[:, 3:], TARGET[:, 3:]))


def test_an_exact_match_has_no_wrong_step():
    assert exact_matches(PREDICTED, TARGET) == 1 / 2


def test_the_majority_baseline_always_says_the_most_frequent_class():
    assert majority_class(TARGET) == NO_EVENT


def test_the_majority_baseline_is_measured_over_all_steps_and_over_note_on_steps(model):
    train = torch.full((2, 32), 60, dtype=torch.uint8)
    tune = torch.tensor([[60, NO_EVENT, 62, NO_EVENT] * 8])

    figures = evaluate(model, tune, train_tokens=train)

    assert figures["majority_accuracy"] == 1 / 4
    assert figures["majority_note_accuracy"] == 1 / 2
    assert evaluate(model, tune)["majority_note_accuracy"] == 0


def test_drawn_codes_and_mean_codes_are_told_apart(model, melodies):
    with torch.no_grad():
        model.encoder.sigma.bias.fill_(8.0)  # draws far from the mean
        model.encoder.mu.weight.zero_()
    figures = evaluate(model, melodies.repeat(40, 1), generator=torch.Generator().manual_seed(1))

    assert figures["drawn_accuracy"] != figures["sampled_accuracy"]


def test_evaluation_gives_every_figure_and_shares_are_shares(model, melodies):
    figures = evaluate(model, melodies, batch_size=3)
    shares = {
        f"{mode}_{kind}accuracy"
        for mode in ("teacher", "drawn", "sampled", "argmax", "majority")
        for kind in ("", "note_")
    } | {"argmax_exact"}
    assert set(figures) == shares | {"loss", "reconstruction", "kl_bits", "elbo"}
    assert all(0 <= figures[name] <= 1 for name in shares)
    assert figures["elbo"] == pytest.approx(
        -figures["reconstruction"] - figures["kl_bits"] * math.log(2), rel=1e-5
    )


def test_evaluation_repeats_itself_from_the_same_generator_state(model, melodies):
    first, again = (
        evaluate(model, melodies, generator=torch.Generator().manual_seed(5)) for _ in range(2)
    )
    assert first == again


def test_evaluation_does_not_depend_on_how_melodies_are_batched(model, melodies):
    together = evaluate(model, melodies, batch_size=7)
    apart = evaluate(model, melodies, batch_size=2)
    # Those that draw nothing; 7 = 2 + 2 + 2 + 1 also shows that batches are weighted by size.
    for name in ("argmax_accuracy", "argmax_note_accuracy", "majority_accuracy", "kl_bits"):
        assert apart[name] == pytest.approx(together[name], rel=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_evaluation_leaves_the_model_in_the_mode_it_was_in(model, melodies, training):
    model.train(training)
    evaluate(model, melodies)
    assert model.training is training


def test_teacher_forced_accuracy_is_that_of_the_logits_argmax(model, melodies):
    seed = 3
    figures = evaluate(model, melodies, generator=torch.Generator().manual_seed(seed))
    output = model(melodies, generator=torch.Generator().manual_seed(seed))
    right = sum(
        int(output.logits[row, t].argmax()) == int(melodies[row, t])
        for row in range(7)
        for t in range(32)
    )
    assert figures["teacher_accuracy"] == right / (7 * 32)


def test_an_empty_held_out_set_is_refused(model, melodies):
    with pytest.raises(ValueError, match="empty"):
        evaluate(model, melodies[:0])
