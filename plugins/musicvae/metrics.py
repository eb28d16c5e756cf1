"""How well a model reconstructs melodies it has not seen (paper, table 2, and what it leaves out).

B rows, T steps, V token classes. Accuracy per step flatters: most steps are "no event". Every
accuracy therefore comes twice, over all steps and over the steps whose target starts a note, and
beside the accuracy of always saying the most frequent class.
"""

import torch
from torch import Tensor

from plugins.musicvae.data.tokens import NOTE_OFF, NUM_TOKENS
from plugins.musicvae.losses import elbo
from plugins.musicvae.models import MusicVAE

__all__ = ["accuracy", "evaluate", "exact_matches", "majority_class", "note_accuracy"]


def accuracy(predicted: Tensor, target: Tensor) -> float:
    """Share of the steps [B, T] predicted right."""
    return (predicted == target).double().mean().item()


def note_accuracy(predicted: Tensor, target: Tensor) -> float:
    """Share of the steps whose target starts a note that are predicted right; NaN without any."""
    starts = target < NOTE_OFF
    return (predicted == target)[starts].double().mean().item()


def exact_matches(predicted: Tensor, target: Tensor) -> float:
    """Share of the melodies [B, T] predicted right at every step."""
    return (predicted == target).all(dim=1).double().mean().item()


def majority_class(tokens: Tensor) -> int:
    """The most frequent class of tokens [B, T]."""
    return int(tokens.flatten().long().bincount(minlength=NUM_TOKENS).argmax())


@torch.no_grad()
def evaluate(
    model: MusicVAE,
    tokens: Tensor,
    *,
    batch_size: int = 512,
    beta: float = 1.0,
    free_bits: float = 0.0,
    train_tokens: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> dict[str, float]:
    """Measures a model on held-out melodies.

    Teacher-forced figures and the bound use one draw z from each posterior, as the objective does.
    Free-running figures are of melodies that the model writes alone: at temperature 1 from that
    draw z (``drawn``), and from the posterior mean, as
    reconstruction does, at temperature 1 (``sampled``) and of most probable tokens (``argmax``).
    A mean is easier than a draw: the two differ by some hundredths.

    Args:
        model: The model; left in the mode, training or evaluation, that it came in.
        tokens: Melodies [N, T].
        batch_size: Melodies at a time.
        beta: Weight of the KL term in ``loss``.
        free_bits: tau of ``loss``, in bits.
        train_tokens: Melodies [M, T] whose most frequent class is the majority baseline; by default
            that of ``tokens``.
        generator: Source of randomness on the model's device. The same state gives the same
            figures.

    Returns:
        ``teacher_accuracy``, ``drawn_accuracy``, ``sampled_accuracy``, ``argmax_accuracy`` and
        ``majority_accuracy``, each also as ``..._note_accuracy``, ``argmax_exact`` (share of
        melodies right at every step), and ``loss``, ``reconstruction``, ``kl_bits`` and ``elbo`` as
        :func:`plugins.musicvae.losses.elbo` defines them.

    Raises:
        ValueError: When there are no melodies.
    """
    if len(tokens) == 0:
        raise ValueError("no melodies to evaluate: the held-out set is empty")
    was_training = model.training
    model.eval()
    predictions: dict[str, list[Tensor]] = {
        "teacher": [],
        "sampled": [],
        "argmax": [],
        "drawn": [],
    }
    sums: dict[str, float] = {}
    for batch in tokens.split(batch_size):
        batch = batch.to(model.device).long()
        output = model(batch, generator=generator)
        parts = elbo(output.logits, batch, output.mu, output.sigma, beta=beta, free_bits=free_bits)
        for name, value in parts.items():
            sums[name] = sums.get(name, 0.0) + value.item() * len(batch)
        predictions["teacher"].append(output.logits.argmax(dim=-1))
        predictions["sampled"].append(model.generate(output.mu, generator=generator))
        predictions["argmax"].append(model.generate(output.mu, temperature=0, generator=generator))
        predictions["drawn"].append(model.generate(output.z, generator=generator))
    model.train(was_training)

    target = tokens.long().cpu()
    figures: dict[str, float] = {}
    for name, batches in predictions.items():
        predicted = torch.cat(batches).cpu()
        figures[f"{name}_accuracy"] = accuracy(predicted, target)
        figures[f"{name}_note_accuracy"] = note_accuracy(predicted, target)
        if name == "argmax":
            figures["argmax_exact"] = exact_matches(predicted, target)
    majority = torch.full_like(
        target, majority_class(target if train_tokens is None else train_tokens)
    )
    figures["majority_accuracy"] = accuracy(majority, target)
    figures["majority_note_accuracy"] = note_accuracy(majority, target)
    return figures | {name: total / len(tokens) for name, total in sums.items()}
