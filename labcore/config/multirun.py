"""``lab run`` as the Hydra application that ``-m``, ``--info`` and ``--hydra-help`` need.

Single runs do not come here: they are composed by :func:`labcore.config.compose` and run in this
process. A sweep is Hydra's: its sweeper makes the jobs and its launcher runs them, wherever that
is. Each job is a ``lab run`` of its own in a child process, so that it chooses its device and
imports its framework afresh.

Every value of a sweep is looked at before its first run starts.
"""

import contextlib
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from labcore.config.compose import compose
from labcore.config.diagnosis import diagnose, read_overrides_of, with_variants, wrong_config
from labcore.config.hydra.groups import find_groups
from labcore.config.hydra.session import ROOT, VERSION_BASE, hydra_lines, open_session, register
from labcore.config.overrides import Given, peek
from labcore.config.root import training_options
from labcore.discovery import FoundPlugin, configs_dir
from labcore.errors import UsageError
from labcore.record.files import write_atomically
from labcore.record.folder import create_run_folder
from labcore.record.records import read_json, read_record, write_json
from labcore.record.redaction import redact_tree
from labcore.record.trial import RESULT_VARIABLE

__all__ = ["JobResult", "SweepResult", "check_sweep", "run_child", "run_hydra", "run_sweep"]

_RESULT_FILE = "result.json"


def check_sweep(
    found: FoundPlugin, overrides: Sequence[str], *, search_dirs: Sequence[Path] = ()
) -> list[Given]:
    """Checks every value of a sweep before its first run starts.

    Each value is composed once, with the first values of the other sweeps: a value that can never
    work is found, without composing every combination.

    Returns:
        The overrides, read.

    Raises:
        UsageError: Something is wrong; has every problem.
    """
    checker, given, problems = read_overrides_of(found, overrides, search_dirs)
    problems.extend(checker.check_names(given, sweeping=True))
    if problems:
        with open_session(checker.plugin, checker.groups, []) as session:
            problems.extend(diagnose(session, checker, given, None, sweeping=True))
        raise wrong_config(checker.plugin, problems)
    swept = [override for override in given if override.is_sweep and override.values()]
    intervals = [override for override in given if override.is_sweep and not override.values()]
    fixed = [o.text for o in given if not o.is_sweep and not o.key.startswith("hydra")]
    firsts = {override.key: _with_value(override, 0) for override in swept}
    combinations = [
        firsts,
        *(
            {**firsts, override.key: _with_value(override, index)}
            for override in swept
            for index in range(1, len(override.values()))
        ),
    ]
    for combination in combinations:
        try:
            compose(found, [*fixed, *combination.values()], search_dirs=search_dirs)
        except UsageError as error:
            problems.extend(error.problems)
    if problems and not intervals:
        raise wrong_config(checker.plugin, problems)
    return given


def _with_value(override: Given, index: int) -> str:
    from hydra.core.override_parser.types import Transformer

    encoded = list(override.parsed.sweep_iterator(Transformer.encode))
    return f"{override.parsed.get_key_element()}={encoded[index]}"


@dataclass(frozen=True, kw_only=True, slots=True)
class JobResult:
    """How one run of a sweep ended."""

    overrides: list[str]
    exit_code: int
    state: str
    run: str | None
    """Run folder; None when it ended before it had one."""
    metric: float | None
    """The monitored metric."""
    metric_name: str
    """Its whole name, such as ``val/loss``; empty when there is none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepResult:
    """How a sweep ended."""

    folder: Path
    jobs: tuple[JobResult, ...]
    exit_code: int
    """The worst of the runs', or 128 + signal when it was stopped."""


def run_sweep(
    found: FoundPlugin, overrides: Sequence[str], *, search_dirs: Sequence[Path] = ()
) -> SweepResult:
    """Runs every combination of a sweep, one ``lab run`` for each.

    Args:
        found: The plugin.
        overrides: Hydra overrides; those with several values span the sweep.
        search_dirs: More folders for Hydra's search path.

    Raises:
        UsageError: A value of the sweep is wrong; nothing has been started.
        RequirementError: The folder of the sweep cannot be created.
    """
    given = check_sweep(found, overrides, search_dirs=search_dirs)
    typed = peek(overrides, "hydra.sweep.dir")
    runs_dir = Path(peek(overrides, "runs_dir") or "runs")
    folder = Path(typed) if typed else create_run_folder(runs_dir, "multirun", found.name)
    extra = [] if typed else [f"hydra.sweep.dir='{folder}'"]
    started = time.time()
    stopped = 0
    try:
        run_hydra(["--multirun", *extra], found, given, search_dirs=search_dirs, task=run_job)
    except Stopped as stop:
        stopped = 128 + stop.signal_number
    except KeyboardInterrupt:
        stopped = 130
    finally:
        _mask_secrets(folder / "multirun.yaml")
    jobs = tuple(_read_results(folder, started))
    worst = max((job.exit_code for job in jobs), default=1)
    return SweepResult(folder=folder, jobs=jobs, exit_code=stopped or worst)


def run_hydra(
    flags: Sequence[str],
    found: FoundPlugin | None = None,
    given: Sequence[Given] = (),
    *,
    search_dirs: Sequence[Path] = (),
    task: Callable[[Any], Any] | None = None,
) -> None:
    """Hands a command line to Hydra's own application.

    Args:
        flags: Hydra's flags and overrides of the ``hydra`` node.
        found: The plugin, unless the flags need none.
        given: The overrides.
        search_dirs: More folders for Hydra's search path.
        task: What Hydra runs for each job.
    """
    import hydra

    groups = None
    if found is not None and found.plugin is not None:
        groups = find_groups(found.config_dir, search_dirs, found.plugin.hooks)
        plugin = with_variants(found, [override.text for override in given], search_dirs)
        register(plugin, groups, given)
    root = ROOT if found is not None else None
    decorate = hydra.main(str(configs_dir()), root, version_base=VERSION_BASE)
    with _arguments([*flags, *hydra_lines(groups, given)]):
        decorate(task or _nothing)()


def run_job(cfg: Any) -> float:
    """Runs one job of a sweep in a child process.

    Args:
        cfg: The job's config as Hydra composed it.

    Returns:
        The monitored metric, which sweepers that search go by; NaN when there is none.

    Raises:
        Stopped: A signal asked for the end of the sweep; the job has ended.
    """
    from hydra.core.hydra_config import HydraConfig

    job = HydraConfig.get()
    overrides = [str(text) for text in job.overrides.task]
    paths = [text for text in job.overrides.hydra if text.startswith("hydra.searchpath=")]
    target = Path(job.runtime.output_dir) / _RESULT_FILE
    target.unlink(missing_ok=True)
    code, signal_number = run_child(
        [sys.executable, "-m", "labcore", "run", *overrides, *paths],
        {**os.environ, RESULT_VARIABLE: str(target)},
    )
    state = "not started" if code in (2, 3) else "failed"
    result = read_json(target) or {"run": None, "state": state, "metrics": {}}
    options = training_options(cfg)
    metrics = result["metrics"]
    name = options.monitor if options is not None else ""
    names = (f"val/{name}", f"result/{name}", f"test/{name}", name)
    known = next((key for key in names if key in metrics), "")
    metric = float(metrics[known]) if known else None
    result |= {"overrides": overrides, "exit_code": code, "metric": metric, "metric_name": known}
    write_json(target, result)
    if signal_number is not None:
        raise Stopped(signal_number)
    return math.nan if metric is None else metric


class Stopped(BaseException):
    """A signal stopped the work; no ``Exception``, so that nothing on the way takes it for one.

    Args:
        signal_number: Which signal.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.signal_number = signal_number


def run_child(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    write: Callable[[str], object] | None = None,
) -> tuple[int, int | None]:
    """Runs a command to its end.

    The child is in a session of its own: Ctrl-C reaches only this process, which passes it on once
    and waits, so that the child can write its checkpoint.

    Args:
        command: Program and arguments.
        environment: All environment variables of the child.
        write: Gets what the child prints, as it comes; left out, the child prints where this
            process does.

    Returns:
        Its exit code (128 + signal when a signal ended it), and the signal that reached this
        process meanwhile, or None.
    """
    pipes: dict[str, Any] = {}
    if write is not None:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        pipes |= {"encoding": "utf-8", "errors": "replace"}
    child = subprocess.Popen(command, env=dict(environment), start_new_session=True, **pipes)
    with child, _passing_on(child) as received:
        for line in child.stdout or ():
            assert write is not None
            write(line)
        code = child.wait()
    return (code if code >= 0 else 128 - code), (received[0] if received else None)


@contextlib.contextmanager
def _passing_on(child: "subprocess.Popen[bytes]") -> Iterator[list[int]]:
    """Sends SIGINT and SIGTERM on to the child (main thread only), and remembers them."""
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return

    def handle(number: int, frame: FrameType | None) -> None:
        received.append(number)
        child.send_signal(number)

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _nothing(cfg: Any) -> None:
    """The task of an application that only answers questions."""


def _read_results(folder: Path, started: float) -> Iterator[JobResult]:
    """Reads what the jobs left; older results in a folder that the user named are not ours."""
    files = [f for f in folder.rglob(_RESULT_FILE) if f.stat().st_mtime >= started - 1]
    for file in sorted(files, key=lambda file: file.stat().st_mtime):
        with contextlib.suppress(ValueError):  # a job that was killed left nothing whole
            yield read_record(JobResult, file)


def _mask_secrets(file: Path) -> None:
    """Hydra writes down the overrides of a sweep as they were typed."""
    from omegaconf import OmegaConf

    if file.exists():
        tree = redact_tree(OmegaConf.to_container(OmegaConf.load(file)))
        write_atomically(file, OmegaConf.to_yaml(OmegaConf.create(tree)))


@contextlib.contextmanager
def _arguments(arguments: Sequence[str]) -> Iterator[None]:
    """Lets Hydra, which reads ``sys.argv``, see these arguments."""
    before = sys.argv
    sys.argv = ["lab run", *arguments]
    try:
        yield
    finally:
        sys.argv = before
