"""``lab devices``, and leases as they look from a second shell."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from labcore.cli import devices as command
from labcore.devices import DeviceRequest, Leases, acquire, survey
from labcore.devices.lease.owner import Owner, this_process
from labcore.plugin import Requires
from tests.stub_nvml import gpu, machine

ROOT = Path(__file__).parents[3]
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="tests POSIX's locks")
SLEEPY = """
    import time

    def work(run):
        print("working", flush=True)
        time.sleep(60)
"""


def show(*arguments: str, width: int | None = None) -> str:
    environment = {} if width is None else {"COLUMNS": str(width)}
    result = CliRunner().invoke(command.devices, arguments, env=environment)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_no_driver_is_an_ordinary_answer(driver, tmp_path):
    driver("driver_not_loaded")
    printed = show("--runs-dir", str(tmp_path / "not/yet"))
    assert printed.startswith("No GPU: NVIDIA's driver is not loaded.\n")
    assert "lab doctor" not in printed
    for word in ("CPU", "memory", "disk"):
        assert f"\n{word}" in printed
    assert not (tmp_path / "leases").exists()


def test_a_broken_driver_sends_to_the_doctor(driver):
    driver("version_mismatch")
    assert "different versions. How to mend it: lab doctor" in show()


def test_a_driver_without_cards_is_told(driver):
    driver("no_cards")
    assert show().startswith("No GPU, though NVIDIA's driver 580.65.06 runs.")


def test_each_gpu_has_a_line_and_each_that_is_not_free_its_reason(driver):
    driver("two_24gb_one_busy")
    lines = show().splitlines()
    assert lines[0] == "1 of 2 free; NVIDIA driver 580.65.06, CUDA up to 13.0"
    first, second = (line for line in lines if "RTX 3090" in line)
    assert first.split() == [
        *("0", "RTX", "3090", "████░░░░░░", "9.7/26", "93", "%", "67", "°C", "321/350", "W"),
        *("8.6", "in", "use"),
    ]
    assert second.endswith("8.6  free")
    assert "0  used by process 4999999 (9.7 of 25.8 GB in use)" in lines


def test_slices_stand_below_their_card_and_fit_eighty_columns(driver, monkeypatch):
    driver("eight_with_mig")
    monkeypatch.setattr(command, "_ROOMY", 101)
    lines = show().splitlines()
    table = lines[2 : lines.index("", 3)]
    assert max(map(len, table)) <= 80
    at = next(n for n, line in enumerate(table) if "3g.40gb" in line)
    assert table[at - 1].split()[-2:] == ["in", "slices"]
    assert table[at + 2].split()[0] == "9"
    assert any(line.endswith("no slice") for line in table)
    assert "10  3 uncorrected memory errors: lab doctor" in lines
    assert "12  slowed down: hardware thermal slowdown" in lines
    assert "13  closed to computing (compute mode Prohibited)" in lines


def test_a_lost_card_is_told(driver):
    driver("fallen_off_the_bus")
    assert "card 1 does not answer: it has fallen off the bus" in show()


def test_a_card_that_tells_little_leaves_gaps(driver):
    driver("laptop")
    (line,) = (line for line in show().splitlines() if "950M" in line)
    assert line.split() == ["0", "GTX", "950M", "██░░░░░░░░", "0.4/2", "5.0", "free"]


def test_hidden_gpus_have_no_number_to_type(driver, monkeypatch):
    driver("three_plain")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2")
    states = [(row["device"], row["state"]) for row in json.loads(show("--json"))["devices"]]
    assert states == [(None, "hidden"), (None, "hidden"), ("0", "free")]


@posix_only
def test_who_holds_and_who_waits_is_told(driver):
    driver("one_24gb")
    acquire(DeviceRequest.read("cuda"), Requires(), run="toy/train")
    (card,) = survey().gpus
    with Leases().opened() as desk:
        waiter = Owner(pid=77, run="late/comer", user="ann", uuids=(card.uuid,), count=1)
        place = desk.queue.enter(waiter)
    os.utime(Leases().folder / f"{card.uuid}.json", (0, time.time() - 600))
    printed = show()
    place.leave()
    assert f"0  toy/train (process {os.getpid()}, user " in printed
    assert "which has shown no life for 10 min" in " ".join(printed.split())
    assert "1. late/comer (process 77, user ann), for 1 of 0" in printed


@posix_only
def test_json_has_everything_and_no_token(driver):
    driver("one_24gb")
    with Leases().opened() as desk:
        lease = desk.take(survey().gpus, this_process(run="toy/train", token="secret-token"))
    told = json.loads(show("--json"))
    lease.release()
    (row,) = told["devices"]
    assert (row["state"], row["lease"]["run"], row["temperature_c"]) == ("leased", "toy/train", 34)
    assert abs(row["lease"]["heartbeat"] - time.time()) < 60
    assert (told["driver"], told["cuda_driver"], told["problem"]) == ("580.65.06", "13.0", None)
    assert told["usable_cores"] >= 1
    assert "secret-token" not in json.dumps(told)


def test_json_tells_the_problem_with_its_number(driver):
    driver("unknown_error")
    assert json.loads(show("--json"))["problem"]["code"] == 999


def test_json_and_watch_do_not_go_together(driver):
    driver("no_cards")
    result = CliRunner().invoke(command.devices, ["--json", "--watch"])
    assert result.exit_code == 2


@pytest.mark.parametrize("is_terminal", [False, True])
def test_watching_looks_again_until_ctrl_c(driver, monkeypatch, is_terminal):
    stub = driver("one_24gb")
    looks = []

    def look_twice(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 2:
            raise KeyboardInterrupt
        stub.write(machine(gpu(0), gpu(1)))

    monkeypatch.setattr(command.time, "sleep", look_twice)
    if is_terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("TTY_COMPATIBLE", "1")
    printed = show("--watch", "--every", "0.5")
    assert looks == [0.5, 0.5]
    assert "1 of 1 free" in printed
    assert "2 of 2 free" in printed
    assert "every 0.5 s, Ctrl-C ends" in printed


@posix_only
class TestSecondShell:
    """Real commands, each in a process of its own, on a machine with a stub driver."""

    @pytest.fixture
    def lab(self, stub_machine, write_plugin: Callable[[str, str], str], tmp_path, monkeypatch):
        write_plugin("sleepy", SLEEPY)
        monkeypatch.chdir(tmp_path)
        path = os.pathsep.join([str(ROOT), os.environ["PYTHONPATH"]])
        environment = {**os.environ, **stub_machine("one_24gb").environment(), "PYTHONPATH": path}

        def start(*words: str) -> "subprocess.Popen[str]":
            process = subprocess.Popen(
                [sys.executable, "-m", "labcore", *words],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=environment,
            )
            started.append(process)
            return process

        started: list[subprocess.Popen[str]] = []
        yield start
        for process in started:
            process.kill()
            process.communicate()

    @staticmethod
    def said(process: "subprocess.Popen[str]", word: str) -> str:
        for line in process.stdout:
            if word in line:
                return line
        raise AssertionError(f"{word!r} was never said: {process.stderr.read()}")

    @staticmethod
    def device(lab) -> dict:
        out, err = lab("devices", "--json").communicate(timeout=60)
        assert err == ""
        (row,) = json.loads(out)["devices"]
        return row

    def test_a_running_lease_is_seen_and_ends_with_the_process(self, lab, tmp_path):
        run = lab("run", "plugin=sleepy", "hooks=none")
        self.said(run, "working")
        row = self.device(lab)
        (folder,) = (tmp_path / "runs/sleepy").iterdir()
        assert row["state"] == "leased"
        assert (row["lease"]["run"], row["lease"]["pid"]) == (f"sleepy/{folder.name}", run.pid)
        assert row["lease"]["command"].endswith("run plugin=sleepy hooks=none")
        record = json.loads((folder / "environment.json").read_text())
        assert record["device"]["leased"] == [row["uuid"]]
        assert record["device"]["env"]["CUDA_VISIBLE_DEVICES"] == row["uuid"]

        refused = lab("run", "plugin=sleepy", "hooks=none")
        _, message = refused.communicate(timeout=60)
        assert refused.returncode == 3
        assert f"leased by sleepy/{folder.name} (process {run.pid}" in message
        assert len(list((tmp_path / "runs/sleepy").iterdir())) == 1

        run.send_signal(signal.SIGKILL)
        run.wait(timeout=30)
        assert self.device(lab)["state"] == "free"

    def test_ctrl_c_while_waiting_ends_with_130_and_leaves_nothing(self, lab, tmp_path):
        run = lab("run", "plugin=sleepy", "hooks=none")
        self.said(run, "working")
        waiting = lab("run", "plugin=sleepy", "device.wait=10m")
        assert "up to 10 min" in self.said(waiting, "waiting for a GPU")
        self.said(waiting, "leased by sleepy/")
        waiting.send_signal(signal.SIGINT)
        assert waiting.wait(timeout=30) == 130
        assert len(list((tmp_path / "runs/sleepy").iterdir())) == 1
        assert list((tmp_path / "leases/queue").iterdir()) == []

    def test_a_dry_run_says_who_has_the_gpu_and_takes_nothing(self, lab, tmp_path):
        out, _ = lab("run", "plugin=sleepy", "--dry-run").communicate(timeout=60)
        assert "GPU 0, NVIDIA GeForce RTX 3090, 26 GB" in out
        assert not (tmp_path / "leases").exists()
