"""Judging what a run left, with small programs in the place of runs."""

import json
import sys
import textwrap
import time

import psutil
import pytest

from labcore.doctor.smoke import Case, command, execute

CASE = Case(plugin="toy", kind="smoke")

LEAVES = """
import json, os, pathlib
folder = pathlib.Path({folder!r})
folder.mkdir(parents=True, exist_ok=True)
(folder / "profile.json").write_text(json.dumps({profile!r}))
(folder / "timing.json").write_text(json.dumps({timing!r}))
pathlib.Path(os.environ["LAB_RESULT_FILE"]).write_text(json.dumps({{"run": str(folder)}}))
print("done")
"""

ON_GPU = {"device": "Card", "kernel_ms": 12.5, "num_kernels": 321, "peak_memory_mib": 77.0}
ON_CPU = {"device": "CPU", "kernel_ms": 0, "num_kernels": 0}


@pytest.fixture
def run_program(tmp_path, monkeypatch):
    def run_program(program, *, timeout_s=30.0, case=CASE):
        argv = [sys.executable, "-c", textwrap.dedent(program)]
        monkeypatch.setattr("labcore.doctor.smoke.command", lambda case, folder: argv)
        return execute(case, tmp_path / "out", timeout_s=timeout_s)

    return run_program


def leaves(tmp_path, profile, timing=None):
    timing = {"step_ms": {"median": 4.25}} if timing is None else timing
    return LEAVES.format(folder=str(tmp_path / "run"), profile=profile, timing=timing)


def test_a_run_whose_kernels_were_seen_passes_with_its_figures(run_program, tmp_path):
    outcome = run_program(leaves(tmp_path, ON_GPU))
    assert outcome.state == "passed"
    assert outcome.used_gpu
    assert (outcome.num_kernels, outcome.kernel_ms, outcome.peak_memory_mib) == (321, 12.5, 77.0)
    assert outcome.step_ms == 4.25
    assert outcome.device == "Card"
    assert outcome.log == ""


def test_a_run_without_steps_passes_without_a_step_time(run_program, tmp_path):
    outcome = run_program(leaves(tmp_path, ON_GPU, timing={"total_s": 1.0}))
    assert outcome.state == "passed"
    assert outcome.step_ms is None


def test_a_run_that_finished_on_the_cpu_has_failed(run_program, tmp_path):
    outcome = run_program(leaves(tmp_path, ON_CPU))
    assert outcome.state == "failed"
    assert "no kernel was seen on the GPU" in outcome.reason
    assert not outcome.used_gpu


def test_a_run_that_left_no_profile_has_failed(run_program):
    outcome = run_program("print('all fine')")
    assert outcome.state == "failed"
    assert "no kernel was seen" in outcome.reason
    assert "all fine" in outcome.log


def test_the_result_of_an_earlier_run_does_not_count(run_program, tmp_path):
    assert run_program(leaves(tmp_path, ON_GPU)).state == "passed"
    assert run_program("print('did nothing')").state == "failed"


def test_an_exit_code_is_a_failure_with_the_last_lines(run_program):
    outcome = run_program(
        "import sys; print('\\n'.join(map(str, range(100)))); sys.exit('CUDA error: 35')"
    )
    assert outcome.state == "failed"
    assert "exit code 1" in outcome.reason
    assert outcome.log.endswith("CUDA error: 35")
    assert len(outcome.log.splitlines()) == 30


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_a_crash_names_its_signal(run_program):
    outcome = run_program("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    assert outcome.state == "failed"
    assert "signal 11" in outcome.reason


def test_a_run_that_hangs_is_killed_with_its_children(run_program, tmp_path):
    program = f"""
        import pathlib, subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        pathlib.Path({str(tmp_path / "pid")!r}).write_text(str(child.pid))
        time.sleep(60)
    """
    outcome = run_program(program, timeout_s=2.0)
    assert outcome.state == "failed"
    assert "longer than 2 s" in outcome.reason
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 10
    while _runs(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(pid)


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_skipped_case_starts_nothing(run_program, tmp_path):
    case = Case(plugin="toy", kind="two processes", skipped="needs two GPUs")
    outcome = run_program(leaves(tmp_path, ON_GPU), case=case)
    assert outcome.state == "skipped"
    assert outcome.reason == "needs two GPUs"
    assert not (tmp_path / "run").exists()


def test_the_command_is_one_that_a_user_could_type(tmp_path):
    case = Case(plugin="toy", kind="two processes", overrides=("train.devices=2",))
    words = command(case, tmp_path)
    assert words[1:7] == ["-m", "labcore", "run", "plugin=toy", "preset=smoke", "device=cuda"]
    assert "train.devices=2" in words
    assert json.dumps(words)
