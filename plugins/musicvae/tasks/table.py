"""The table of accuracies: teacher-forced and free-running, all steps and note-on steps."""

import csv
from collections.abc import Mapping

from plugins.musicvae.tasks.melodies import MusicRun

__all__ = ["write_table"]

_ROWS = (
    ("teacher-forced, next step", "teacher"),
    ("free-running from a drawn code, sampled at temperature 1", "drawn"),
    ("free-running from the mean code, sampled at temperature 1", "sampled"),
    ("free-running from the mean code, most probable tokens", "argmax"),
)


def write_table(
    run: MusicRun, figures: Mapping[str, Mapping[str, float]], *, num_windows: int
) -> None:
    """Leaves ``accuracy.csv``: one pair of columns for each model.

    Args:
        run: The run.
        figures: Model name to the figures of :func:`plugins.musicvae.metrics.evaluate`.
        num_windows: Windows that the figures were measured on.
    """
    path = run.artifact_path("accuracy.csv")
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        header = ["decoding"]
        for name in figures:
            header += [f"{name}: all steps", f"{name}: note-on steps"]
        writer.writerow(header)
        for title, key in _ROWS:
            row = [title]
            for values in figures.values():
                row += [f"{values[f'{key}_accuracy']:.3f}", f"{values[f'{key}_note_accuracy']:.3f}"]
            writer.writerow(row)
        majority = ["always the commonest token"]
        for values in figures.values():
            majority += [
                f"{values['majority_accuracy']:.3f}",
                f"{values['majority_note_accuracy']:.3f}",
            ]
        writer.writerow(majority)
    kl = ", ".join(f"{name} {values['kl_bits']:.1f}" for name, values in figures.items())
    run.add_artifact(
        path,
        kind="table",
        title="Accuracy on held-out pieces",
        caption=f"{num_windows:,} windows; KL in bits: {kl}.",
        section="Figures",
    )
