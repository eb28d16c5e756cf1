"""Which preset ``preset=auto`` takes."""

from collections.abc import Sequence

__all__ = ["choose_preset"]


def choose_preset(available: Sequence[str], *, paper_fits: bool) -> str:
    """Chooses the scale of an experiment for a machine.

    Args:
        available: Names of the presets there are.
        paper_fits: Whether the run would use a GPU with the memory that the plugin declares.

    Returns:
        ``paper`` where it fits, else ``laptop``; the next smaller one when the plugin lacks it;
        ``none`` when it has no presets.
    """
    wanted = ("paper", "laptop", "smoke") if paper_fits else ("laptop", "smoke", "paper")
    return next((name for name in (*wanted, *available) if name in available), "none")
