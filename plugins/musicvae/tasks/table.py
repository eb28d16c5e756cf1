"""The table of accuracies: teacher-forced and free-running, all steps and note-on steps."""

from collections.abc import Mapping

from labcore.kit.tables import Metric, ResultTable
from plugins.musicvae.tasks.melodies import MusicRun

__all__ = ["write_table"]

_BASELINE = "majority"
_DECODINGS = {
    "teacher": "teacher-forced, next step",
    "drawn": "free-running from a drawn code, sampled at temperature 1",
    "sampled": "free-running from the mean code, sampled at temperature 1",
    "argmax": "free-running from the mean code, most probable tokens",
    _BASELINE: "always the commonest token",
}
_METRICS = [
    Metric(
        key=f"{key}{kind}",
        title=f"{title}: {steps}",
        better="" if key == _BASELINE else "higher",
    )
    for key, title in _DECODINGS.items()
    for kind, steps in (("_accuracy", "all steps"), ("_note_accuracy", "note-on steps"))
]
_METRICS.append(Metric(key="kl_bits", title="KL, bits", digits=1))


def write_table(
    run: MusicRun, figures: Mapping[str, Mapping[str, float]], *, num_windows: int
) -> None:
    """Leaves ``accuracy.csv``, a column for each model, and of several models ``accuracy.md``.

    Args:
        run: The run.
        figures: Model name to the figures of :func:`plugins.musicvae.metrics.evaluate`.
        num_windows: Windows that the figures were measured on.
    """
    table = ResultTable(_METRICS, turned=True)
    for model, values in figures.items():
        table.add(model, values)
    path = table.save(run.artifact_path("accuracy.csv"))
    title, caption = "Accuracy on held-out pieces", f"{num_windows:,} windows."
    run.add_artifact(path, kind="table", title=title, caption=caption, section="Figures")
    if len(figures) > 1:
        path = table.save(run.artifact_path("accuracy.md"))
        title += ", the best ones bold"
        run.add_artifact(path, kind="file", title=title, section="Figures")
