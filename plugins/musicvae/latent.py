"""Geometry of the latent space. P points, Z latent dimensions."""

import torch
from torch import Tensor

__all__ = ["slerp"]


def slerp(start: Tensor, end: Tensor, alphas: Tensor) -> Tensor:
    """Interpolates along the great circle through two codes.

    sin((1 - a) w) / sin(w) * start + sin(a w) / sin(w) * end, with w the angle between the codes.
    The formula is undefined where the arc is: for parallel codes, opposite codes and a zero code
    the path is the straight line between them.

    Args:
        start: Code [Z] at alpha 0.
        end: Code [Z] at alpha 1.
        alphas: [P], usually from 0 to 1.

    Returns:
        Codes [P, Z]. At alpha 0 and 1 they are the ends themselves.
    """
    alphas = alphas.to(start).unsqueeze(-1)
    line = torch.lerp(start, end, alphas)
    # Angles in float64: a float32 cosine cannot tell angles below 0.0003 from 0.
    p, q = start.double(), end.double()
    length_p, length_q = p.norm(), q.norm()
    if length_p == 0 or length_q == 0:
        return line
    # Half-angle form: accurate near 0 and pi, where the arc cosine is not.
    unit_p, unit_q = p / length_p, q / length_q
    angle = 2 * torch.atan2((unit_p - unit_q).norm(), (unit_p + unit_q).norm())
    sine = angle.sin()
    if sine < 1e-6:
        return line
    a = alphas.double()
    from_start, from_end = ((1 - a) * angle).sin() / sine, (a * angle).sin() / sine
    return (from_start * p + from_end * q).to(start.dtype)
