"""Transposition of batches, done while training so that every epoch sees other keys.

Importing this module does not import torch, so that the processes that convert MIDI do without.

Shapes: ``B`` windows, ``T`` steps.
"""

from typing import TYPE_CHECKING

from plugins.musicvae.data.tokens import NOTE_OFF

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["random_transpose", "transpose"]


def random_transpose(tokens: "Tensor", semitones: int) -> "Tensor":
    """Transposes each window by its own random shift of up to ``semitones`` up or down.

    Draws from torch's global generator of the tokens' device; from none when ``semitones`` is 0.

    Args:
        tokens: ``[B, T]``, any integer type.
        semitones: Largest shift; all of ``-semitones .. semitones`` are equally likely.

    Returns:
        Tokens ``[B, T]`` of the same type.
    """
    if semitones == 0:
        return tokens
    import torch

    shift = torch.randint(-semitones, semitones + 1, (len(tokens),), device=tokens.device)
    return transpose(tokens, shift)


def transpose(tokens: "Tensor", shift: "Tensor") -> "Tensor":
    """Moves every note of a window by its shift; note-offs and no-events stay.

    A shift that would push a note out of the MIDI range is shortened for the whole window, so that
    intervals are kept.

    Args:
        tokens: ``[B, T]``, any integer type.
        shift: Semitones, positive is up, ``[B]``.

    Returns:
        Tokens ``[B, T]`` of the same type.
    """
    values = tokens.long()
    notes = values < NOTE_OFF
    lowest = values.masked_fill(~notes, 127).amin(dim=1)
    highest = values.masked_fill(~notes, 0).amax(dim=1)
    shift = shift.to(values).maximum(-lowest).minimum(127 - highest)
    return (values + shift[:, None]).where(notes, values).to(tokens.dtype)
