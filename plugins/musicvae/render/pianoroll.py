"""Piano rolls: melodies as pictures, one above the other on shared axes.

Matplotlib is imported when a picture is drawn, and used without pyplot, so that nothing global is
left behind and no display is needed.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from plugins.musicvae.config import STEPS_PER_BAR
from plugins.musicvae.data.tokens import Note, decode

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["pitch_name", "write_pianoroll"]

_NAMES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")
_BLACK_KEYS = frozenset({1, 3, 6, 8, 10})
_INK, _MUTED, _BLACK_ROW, _BAR_LINE, _BEAT_LINE = (
    "#1f2933", "#6b7785", "#f1f4f7", "#a9b4c0", "#e1e6eb",
)  # fmt: skip
_COLOURS = ((0.13, 0.40, 0.70), (0.62, 0.27, 0.58), (0.89, 0.40, 0.20))
_LABELLED = ((0, 2, 4, 5, 7, 9, 11), (0, 4, 7), (0,))
"""Pitches of the octave that are named beside a small, a middling and a large range."""
_LEAST_PITCHES = 12
"""Rows shown at least, so that a narrow melody does not look like a wild one."""
_STEPS_PER_BEAT = 4


def pitch_name(pitch: int) -> str:
    """Names a MIDI pitch; 60 is C4."""
    return f"{_NAMES[pitch % 12]}{pitch // 12 - 1}"


def write_pianoroll(
    melodies: Sequence[tuple[str, ArrayLike]],
    path: Path,
    *,
    title: str = "",
    dpi: int = 150,
    range_of: Sequence[ArrayLike] = (),
) -> Path:
    """Draws melodies as a PNG of stacked piano rolls.

    Time runs in bars, pitch over the range that is used, the same for all. Colour goes from blue to
    orange down the stack, which shows the way along an interpolation.

    Args:
        melodies: Title and tokens ``[T]`` of each, top to bottom.
        path: File to write; its folder must exist.
        title: Heading of the whole picture.
        dpi: Pixels an inch. The picture is 4.4 inches wide, or more for long melodies, so that its
            letters are legible beside others on a page.
        range_of: Tokens of more melodies whose pitches the axes are to hold.

    Returns:
        ``path``.
    """
    if not melodies:
        raise ValueError("a piano roll needs at least one melody")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    sequences = [np.asarray(tokens) for _, tokens in melodies]
    notes = [decode(tokens) for tokens in sequences]
    num_steps = max(max(tokens.size for tokens in sequences), 1)
    low, high = _pitch_range([*notes, *(decode(tokens) for tokens in range_of)])

    num_bars = -(-num_steps // STEPS_PER_BAR)
    width = min(24.0, max(4.4, 0.5 * num_bars))
    per_pitch = 0.105 if len(melodies) <= 2 else 0.075
    row = min(2.6, max(0.9, per_pitch * (high - low + 1)))
    heading = 0.38 if title else 0.08
    height = heading + len(melodies) * (row + 0.3) + 0.28
    figure = Figure(figsize=(width, height), dpi=dpi, facecolor="white")
    FigureCanvasAgg(figure)  # attaches itself
    axes = figure.subplots(len(melodies), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    figure.subplots_adjust(
        left=0.55 / width,
        right=1 - 0.15 / width,
        bottom=0.28 / height,
        top=1 - (heading + 0.25) / height,
        hspace=0.3 / row,
    )
    if title:
        figure.text(
            0.55 / width, 1 - 0.1 / height, title, va="top", fontsize=13, weight="bold", color=_INK
        )
    for index, (axis, (name, _)) in enumerate(zip(axes, melodies, strict=True)):
        colour = _colour(index / max(1, len(melodies) - 1))
        _draw_grid(axis, num_bars, low, high)
        _draw_notes(axis, notes[index], colour)
        axis.set_title(name, loc="left", fontsize=9.5, color=_INK, pad=3)
        axis.tick_params(axis="x", labelbottom=index == len(melodies) - 1)
    figure.savefig(path, format="png")
    return path


def _colour(blend: float) -> tuple[float, ...]:
    """Gives red, green and blue from blue (0) over purple to orange (1)."""
    stops = np.linspace(0.0, 1.0, len(_COLOURS))
    return tuple(float(np.interp(blend, stops, channel)) for channel in zip(*_COLOURS, strict=True))


def _pitch_range(melodies: list[list[Note]]) -> tuple[int, int]:
    """Gives the lowest and highest row to show, a semitone of margin included."""
    pitches = [note.pitch for notes in melodies for note in notes] or [60]
    low, high = min(pitches) - 1, max(pitches) + 1
    missing = max(0, _LEAST_PITCHES - (high - low + 1))
    return low - missing // 2, high + (missing + 1) // 2


def _draw_grid(axis: "Axes", num_bars: int, low: int, high: int) -> None:
    for pitch in range(low, high + 1):
        if pitch % 12 in _BLACK_KEYS:
            axis.axhspan(pitch - 0.5, pitch + 0.5, color=_BLACK_ROW, linewidth=0, zorder=0)
        if pitch % 12 == 0:
            axis.axhline(pitch - 0.5, color=_BAR_LINE, linewidth=0.6, zorder=1)
    beats_shown = num_bars <= 16
    for step in range(0, num_bars * STEPS_PER_BAR + 1, _STEPS_PER_BEAT):
        if step % STEPS_PER_BAR == 0:
            axis.axvline(step, color=_BAR_LINE, linewidth=0.9, zorder=1)
        elif beats_shown:
            axis.axvline(step, color=_BEAT_LINE, linewidth=0.6, zorder=1)
    axis.set_xlim(0, num_bars * STEPS_PER_BAR)
    axis.set_ylim(low - 0.5, high + 0.5)

    every = max(1, num_bars // 16)
    bars = range(0, num_bars, every)
    axis.set_xticks(
        [bar * STEPS_PER_BAR for bar in bars],
        [f"bar {bar + 1}" if bar == 0 else str(bar + 1) for bar in bars],
        ha="left",
    )
    shown = range(low, high + 1)
    labelled = _LABELLED[0] if len(shown) <= 14 else _LABELLED[1 if len(shown) <= 40 else 2]
    named = [pitch for pitch in shown if pitch % 12 in labelled]
    axis.set_yticks(named, [pitch_name(pitch) for pitch in named])
    axis.tick_params(length=0, labelsize=8.5, colors=_MUTED, pad=3)
    for spine in axis.spines.values():
        spine.set(color=_BAR_LINE, linewidth=0.9)


def _draw_notes(axis: "Axes", notes: list[Note], colour: tuple[float, ...]) -> None:
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import FancyBboxPatch

    gap = 0.12  # keeps repeated notes apart
    boxes = [
        FancyBboxPatch(
            (note.start_step + gap, note.pitch - 0.4),
            note.end_step - note.start_step - 2 * gap,
            0.8,
            boxstyle="round,pad=0,rounding_size=0.18",
        )
        for note in notes
    ]
    axis.add_collection(
        PatchCollection(boxes, facecolor=colour, edgecolor="white", linewidth=0.4, zorder=3)
    )
    if not notes:
        axis.text(
            0.5, 0.5, "no notes", transform=axis.transAxes, ha="center", va="center",
            fontsize=9, color=_MUTED, style="italic", zorder=3,
        )  # fmt: skip
