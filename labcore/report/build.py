"""From a run folder to its ``report.html``, using nothing but the files in the folder."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from labcore.config.root import training_options
from labcore.record.artifacts import ArtifactStore
from labcore.record.checkpoints import stored_in
from labcore.record.durations import format_duration
from labcore.record.files import write_atomically
from labcore.record.records import read_json
from labcore.record.status import Status, read_status
from labcore.report.artifacts import Budget, Card, arrange, link_to
from labcore.report.charts import PLOT, group_charts
from labcore.report.details import config_rows, grow
from labcore.report.metrics import headline, read_metrics
from labcore.report.page import render_page
from labcore.report.sources import inside, read_config, tail
from labcore.report.tables import read_table
from labcore.report.wording import format_time
from labcore.run.source import read_source

__all__ = ["REPORT_FILE", "build"]

REPORT_FILE = "report.html"
_MOST_FILES = 60

_OUTCOMES = {
    "queued": "It has not started yet.",
    "running": "It was still going when this page was made.",
    "finished": "",
    "failed": "",
    "interrupted": "It was stopped before its end.",
    "lost": "Its process is gone and left no word: killed, or the machine went down.",
    "unknown": "There is no readable status.json, so nobody can say how it ended.",
}


def build(folder: Path, *, model_tasks: Sequence[str] = ()) -> Path:
    """Writes the report of a run, whatever became of the run.

    Files that are missing or damaged make their part of the page say so; they raise nothing.

    Args:
        folder: The run folder.
        model_tasks: Tasks of the plugin that work on the model of a run; the page shows the
            command of each when this run left a checkpoint.

    Returns:
        The path of ``report.html``.

    Raises:
        OSError: The page cannot be written.
    """
    context = _context(folder.resolve(), model_tasks)
    path = folder / REPORT_FILE
    write_atomically(path, render_page("report", context))
    return path


def _context(folder: Path, model_tasks: Sequence[str]) -> dict[str, Any]:
    status, state = _status(folder)
    config = read_config(folder / "config.yaml")
    origins = read_json(folder / "origins.json")
    environment = read_json(folder / "environment.json")
    metrics = read_metrics(folder / "metrics.jsonl")
    rows = metrics.of("val", "test", "result")
    training = training_options(config)
    monitor = f"val/{training.monitor}" if training else ""
    best = "highest" if training and training.maximize else "lowest"
    curves = group_charts(metrics.of("train", "val", "test", "result"), prefix="curve")
    perf = group_charts(metrics.of("perf"), prefix="perf")
    taps = group_charts(metrics.of("taps"), prefix="tap")
    groups = (curves, perf, taps)
    config_table = config_rows(config, origins, read_json(folder / "changed.json"))
    sections, artifacts_note = _artifacts(folder)
    plugin = status.plugin if status else folder.parent.name
    failed = state in {"failed", "lost", "unknown"}
    return {
        "name": f"{plugin}/{folder.name}",
        "kind": plugin,
        "state": state,
        "outcome": _outcome(status, state),
        "facts": _facts(folder, status, config, environment),
        "error": (status.error or {}) if status and state == "failed" else {},
        "traceback": _traceback(folder, status) if state == "failed" else None,
        "log": tail(folder / "log.txt"),
        "log_open": failed,
        "tiles": headline(rows, status.metrics if status else {}, monitor, best),
        "commands": _commands(folder, status, state, config, environment, model_tasks),
        "rows": rows,
        "monitor": monitor,
        "best": best,
        "curves": curves,
        "perf": perf,
        "taps": taps,
        "plot": PLOT,
        "data": {
            "plot": [PLOT.left, PLOT.right, PLOT.top, PLOT.bottom],
            "charts": {chart.id: chart.data for group in groups for chart in group.charts},
        },
        "has_metrics": bool(metrics.series),
        "num_bad_lines": metrics.num_bad_lines,
        "sections": sections,
        "artifacts_note": artifacts_note,
        "rejected": read_table(folder / "rejected.csv"),
        "config": config_table,
        "num_changed": sum(row.has_changes and not row.is_group for row in config_table),
        "has_origins": isinstance(origins, Mapping),
        "environment": grow(environment) if isinstance(environment, Mapping) else None,
        "records": _records(folder),
        "files": _files(folder),
    }


def _status(folder: Path) -> tuple[Status | None, str]:
    try:
        status = read_status(folder)
        state = status.observed_state()
    except (OSError, ValueError, TypeError, AttributeError):
        return None, "unknown"
    return status, state if state in _OUTCOMES else "unknown"


def _outcome(status: Status | None, state: str) -> str:
    parts = [_OUTCOMES[state]]
    if status is not None and state != "failed" and status.message:
        parts.insert(0, f"{status.message[:1].upper()}{status.message[1:].rstrip('.')}.")
    return " ".join(part for part in parts if part)


def _facts(
    folder: Path, status: Status | None, config: Any, environment: Any
) -> list[tuple[str, str]]:
    """What stands under the title: pairs of a word and what it is."""
    facts: list[tuple[str, str]] = []
    if status is not None:
        facts = [("task", status.task), ("preset", status.preset or "none")]
        if status.started:
            end = status.ended or status.heartbeat
            facts.append(("started", format_time(status.started)))
            facts.append(("duration", format_duration(end - status.started)))
        if status.step:
            of = f" of {status.total_steps:,}" if status.total_steps else ""
            facts.append(("steps", f"{status.step:,}{of}"))
        if status.resumes:
            facts.append(("resumed", "once" if status.resumes == 1 else f"{status.resumes} times"))
    source = read_source(folder)
    if source:
        facts.append(("model of", f"{source.get('id')}, preset {source.get('preset', 'none')}"))
    facts.append(("device", _device(config, environment)))
    if isinstance(config, Mapping) and config.get("seed") is not None:
        facts.append(("seed", str(config["seed"])))
    return [(name, value) for name, value in facts if value]


def _device(config: Any, environment: Any) -> str:
    """Names what the run computed on, from whichever record says it best."""
    if isinstance(environment, Mapping):
        for key in ("device", "devices"):
            entry = environment.get(key)
            entries = entry if isinstance(entry, list) else [entry]
            names = [
                str(one.get("name") or one.get("kind") or "") if isinstance(one, Mapping) else one
                for one in entries
            ]
            text = ", ".join(name for name in names if isinstance(name, str) and name)
            if text:
                return text
    device = config.get("device") if isinstance(config, Mapping) else None
    return str(device) if device else ""


def _traceback(folder: Path, status: Status | None) -> str | None:
    named = (status.error or {}).get("traceback") if status else None
    path = inside(folder, str(named or "traceback.txt"))
    return tail(path, num_lines=400) if path else None


def _commands(
    folder: Path,
    status: Status | None,
    state: str,
    config: Any,
    environment: Any,
    model_tasks: Sequence[str],
) -> list[tuple[str, str]]:
    """Commands that the user may want next: what for, and the command."""
    if status is None:
        return []
    runs_dir = str(config.get("runs_dir") or "runs") if isinstance(config, Mapping) else "runs"
    run_id = f"{status.plugin}/{folder.name}"
    # The default folder of runs is searched by name; another one has to be pointed at.
    name = shlex.quote(run_id if runs_dir == "runs" else (Path(runs_dir) / run_id).as_posix())
    has_checkpoint = bool(stored_in(folder / "checkpoints"))
    commands = []
    if state in {"interrupted", "lost", "failed"} and has_checkpoint:
        commands.append(("go on where it stopped", f"lab resume {name}"))
    if has_checkpoint:
        base = f"lab run plugin={shlex.quote(status.plugin)}"
        commands += [
            (f"{task.replace('_', ' ')} with this model", f"{base} task={task} run={name}")
            for task in model_tasks
        ]
    again = environment.get("command") if isinstance(environment, Mapping) else None
    if isinstance(again, list):
        again = shlex.join(str(word) for word in again)
    if isinstance(again, str) and again:
        commands.append(("the command of this run", again))
    trained_by = read_source(folder).get("command")
    if trained_by:
        commands.append(("the command that trained the model", trained_by))
    about = f"lab show {shlex.quote(status.plugin)}"
    return [*commands, (f"what {status.plugin} can do", about)]


def _artifacts(folder: Path) -> tuple[dict[str, list[Card]], str]:
    try:
        artifacts = ArtifactStore(folder).read()
        return arrange(
            folder, artifacts, Budget()
        ), "" if artifacts else "The run left no artifacts."
    except (OSError, ValueError, TypeError, AttributeError) as error:
        return {}, f"artifacts/manifest.json cannot be read: {error}"


def _records(folder: Path) -> list[Any]:
    """Records of hooks that measured the run: where its time went, what its devices did."""
    names = {"timing.json": "Timing", "telemetry.json": "Devices while it ran"}
    contents = {label: read_json(folder / name) for name, label in names.items()}
    return [grow(content, label) for label, content in contents.items() if content]


def _files(folder: Path) -> list[tuple[str, str, int]]:
    """Name, link and size of the run's own files and checkpoints; artifacts have their place."""
    paths = [*sorted(folder.glob("*")), *sorted((folder / "checkpoints").glob("*"))]
    names = [
        path.relative_to(folder).as_posix()
        for path in paths
        if path.is_file() and not path.name.startswith(".") and path.name != REPORT_FILE
    ]
    return [(name, link_to(name), (folder / name).stat().st_size) for name in names[:_MOST_FILES]]
