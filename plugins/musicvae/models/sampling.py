"""Drawing tokens from logits, and running a decoder on its own draws.

R rows, S steps, V token classes.
"""

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["draw_tokens", "roll_out"]


def draw_tokens(logits: Tensor, uniforms: Tensor, temperature: float = 1.0) -> Tensor:
    """Draws one token per row by inverting the cumulative distribution.

    One uniform number decides a token, so a draw does not depend on the rows it is batched with.

    Args:
        logits: [R, V].
        uniforms: [R] in [0, 1).
        temperature: Divides the logits; 0 takes the most probable token and ignores ``uniforms``.

    Returns:
        Tokens [R] int64.
    """
    if temperature == 0:
        return logits.argmax(dim=-1)
    if temperature != 1:
        logits = logits / temperature
    cumulative = logits.softmax(dim=-1).cumsum(dim=-1)
    # Scaling by the sum keeps rounding from reaching past the last class.
    threshold = uniforms.unsqueeze(1) * cumulative[:, -1:]
    return (cumulative <= threshold).sum(dim=-1)


def roll_out(
    step: Callable[[Tensor], Tensor],
    inputs: Tensor,
    own: Tensor | None,
    uniforms: Tensor,
    temperature: float = 1.0,
) -> Tensor:
    """Runs a decoder a step at a time, feeding it what it drew itself where ``own`` says so.

    Args:
        step: Takes the tokens fed to each row [R] and returns logits [R, V].
        inputs: Tokens to feed [S, R] where they are not the row's own.
        own: Whether a step's input is the row's draw at the step before [S, R] bool; the first
            step always reads ``inputs``. None feeds own draws everywhere else.
        uniforms: [S, R] in [0, 1).
        temperature: As in :func:`draw_tokens`.

    Returns:
        What each row drew at each step [S, R].
    """
    drawn = torch.empty(uniforms.shape, dtype=torch.long, device=uniforms.device)
    fed = inputs[0]
    for s in range(len(uniforms)):
        if s > 0:
            previous = drawn[s - 1]
            fed = previous if own is None else torch.where(own[s], previous, inputs[s])
        drawn[s] = draw_tokens(step(fed), uniforms[s], temperature)
    return drawn
