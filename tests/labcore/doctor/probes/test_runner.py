"""Children that crash, hang, flood their output: each is a result, never the doctor's end."""

import importlib.util
import json
import os
import sys
import time
from pathlib import Path

import pytest

from labcore.doctor.probes import PROBES, Probe, run_probes
from labcore.doctor.probes.child import main, try_probe

FAKES = Path(__file__).with_name("fakes.py")
posix = pytest.mark.skipif(os.name != "posix", reason="about POSIX signals")


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Runs a function of fakes.py as a probe."""
    folder = tmp_path / "importable"
    folder.mkdir()
    (folder / "lab_fake_probes.py").write_text(FAKES.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(folder))

    def probe(name: str, limit_s: float = 60.0):
        fake = Probe(name=name, title="a fake", run=f"lab_fake_probes:{name}")
        monkeypatch.setitem(PROBES, name, fake)
        return run_probes([name], limit_s=limit_s)[name]

    return probe


def test_a_probe_that_works_gives_its_result_whatever_it_prints(run):
    found = run("fine")
    assert (found["outcome"], found["result"]) == ("ok", {"answer": 42})
    assert found["seconds"] > 0


def test_a_probe_has_its_variables_an_empty_folder_and_nobody_to_ask(run):
    found = run("environment")["result"]
    assert found["mode"] == "offline"
    assert found["folder"] != str(Path.cwd())
    assert found["stdin"] == ""


@posix
def test_a_segmentation_fault_is_named_with_the_stack_of_that_moment(run):
    found = run("segfault")
    assert (found["outcome"], found["signal"]) == ("crashed", "SIGSEGV")
    assert "about to fall" in found["output"]
    assert "in segfault" in found["output"]


@posix
def test_being_killed_is_named(run):
    assert run("killed")["signal"] == "SIGKILL"


def test_a_hang_ends_at_its_limit_with_the_place_where_it_hangs(run):
    started = time.monotonic()
    found = run("hang", limit_s=5.0)
    assert found["outcome"] == "timeout"
    assert time.monotonic() - started < 30
    assert "waiting" in found["output"]
    assert "in hang" in found["output"]


@posix
def test_a_hang_that_ignores_signals_is_ended_with_its_own_children(run):
    import psutil

    found = run("hang_deaf", limit_s=5.0)
    assert found["outcome"] == "timeout"
    time.sleep(0.2)
    command = "import time; time.sleep(600)"
    assert not [p for p in psutil.process_iter(["cmdline"]) if command in (p.info["cmdline"] or [])]


def test_an_exception_is_given_with_its_traceback(run):
    found = run("raises")
    assert found["outcome"] == "failed"
    assert found["error"].startswith("OSError: libnothing.so.1")
    assert "in raises" in found["output"]


def test_a_wrong_result_is_no_crash(run):
    found = run("wrong")
    assert (found["outcome"], found["error"]) == ("wrong", "off by one")


def test_what_does_not_apply_or_is_not_installed_is_told_apart(run):
    assert run("skipped") | {"seconds": 0} == {
        "outcome": "skipped",
        "reason": "no such device here",
        "seconds": 0,
    }
    assert run("missing")["packages"] == ["a_package_that_nobody_has"]


def test_an_exit_in_the_middle_is_a_crash_with_its_code(run):
    found = run("exits")
    assert (found["outcome"], found["exit_code"]) == ("crashed", 3)


def test_a_flood_of_output_is_kept_to_its_end(run):
    found = run("floods")
    assert found["error"] == "ValueError: after the flood"
    lines = found["output"].splitlines()
    assert "the last line" in lines
    assert len(lines) <= 40


def test_garbage_on_stdout_is_not_taken_for_a_result(run):
    found = run("garbage")
    assert found["outcome"] == "failed"
    assert "ValueError" in found["error"]


def test_a_result_that_is_no_json_is_a_crash_of_the_probe(run):
    found = run("not_json")
    assert found["outcome"] == "crashed"
    assert "not JSON serializable" in found["output"]


@posix
def test_a_crash_after_the_work_was_done_says_so(run):
    found = run("crash_at_the_end")
    assert (found["outcome"], found["finished"], found["signal"]) == ("crashed", "ok", "SIGSEGV")


def test_probes_run_in_order_and_each_is_announced(monkeypatch):
    announced = []
    for name in ("b", "a"):
        probe = Probe(name=name, title=name, run="labcore.doctor.probes.outcome:need")
        monkeypatch.setitem(PROBES, name, probe)
    found = run_probes(["b", "a"], on_start=lambda probe: announced.append(probe.name))
    assert announced == list(found) == ["b", "a"]


@pytest.mark.parametrize("name", PROBES)
def test_every_probe_names_a_function_that_is_there(name):
    module, _, function = PROBES[name].run.partition(":")
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert f"def {function}(" in Path(str(spec.origin)).read_text(encoding="utf-8")
    assert PROBES[name].name == name


def test_the_catalogue_and_the_runner_import_no_framework():
    import subprocess

    code = (
        "import sys, labcore.doctor.probes;"
        "print([m for m in ('torch', 'tensorflow', 'numpy', 'wandb') if m in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"


def test_the_child_writes_the_file_that_it_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("signal.setitimer", lambda *arguments: None, raising=False)
    monkeypatch.setattr("faulthandler.enable", lambda: None)
    monkeypatch.setattr("faulthandler.dump_traceback_later", lambda limit: None)
    out = tmp_path / "result.json"
    main("labcore.doctor.probes.nowhere:anything", out, 120.0)
    assert json.loads(out.read_text())["outcome"] == "failed"
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("fine", {"outcome": "ok", "result": {"answer": 42}}),
        ("wrong", {"outcome": "wrong", "error": "off by one"}),
        ("skipped", {"outcome": "skipped", "reason": "no such device here"}),
        ("missing", {"outcome": "missing", "packages": ["a_package_that_nobody_has"]}),
    ],
)
def test_the_child_tells_the_outcomes_apart(name, told, monkeypatch, tmp_path):
    (tmp_path / f"lab_fakes_{name}.py").write_text(FAKES.read_text(encoding="utf-8"))
    monkeypatch.syspath_prepend(str(tmp_path))
    assert try_probe(f"lab_fakes_{name}:{name}") == told


def test_a_probe_whose_module_is_not_there_failed():
    found = try_probe("labcore.doctor.probes.nowhere:anything")
    assert found["outcome"] == "failed"
    assert "ModuleNotFoundError" in found["error"]
