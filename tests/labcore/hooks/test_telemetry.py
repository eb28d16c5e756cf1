"""The load of the machine, with and without a GPU to ask."""

import contextlib
import json
import time
from types import SimpleNamespace

import pytest

from labcore.devices.inventory.nvml import NvmlFailure, NvmlProblem
from labcore.hooks import hookimpl, telemetry
from labcore.hooks.telemetry import FILE_NAME, Telemetry


@pytest.fixture(autouse=True)
def nvml(monkeypatch):
    """Two cards; the second has no power meter."""
    cards = [card(50, power_w=150.0), card(51, power_w=None)]
    state = SimpleNamespace(is_open=False, cards=cards)

    @contextlib.contextmanager
    def opened():
        state.is_open = True
        yield
        state.is_open = False

    monkeypatch.setattr(telemetry, "opened", opened)
    monkeypatch.setattr(telemetry, "visible_gpus", lambda: state.cards)
    return state


def card(percent, *, power_w):
    return SimpleNamespace(
        utilisation_percent=percent, memory_used_mib=1024, temperature_c=60, power_w=power_w
    )


def measure(hooks, run):
    hooks.register("telemetry", Telemetry(every_s=60))
    hooks.call("run_started", run=run)
    hooks.call("run_ended", run=run, state="finished")
    return json.loads((run.folder / FILE_NAME).read_text())


def test_processor_and_memory_are_measured_even_in_the_shortest_run(hooks, run):
    result = measure(hooks, run)
    assert result["num_samples"] == 1
    assert result["peak"]["memory_mib"] > 10
    assert set(result["peak"]) >= {"cpu_percent", "machine_cpu_percent", "machine_memory_percent"}


def test_each_card_tells_what_it_can(hooks, run, nvml):
    peak = measure(hooks, run)["peak"]
    assert peak["gpu0_percent"] == 50
    assert peak["gpu0_watts"] == 150
    assert peak["gpu1_memory_mib"] == 1024
    assert peak["gpu1_celsius"] == 60
    assert "gpu1_watts" not in peak
    assert not nvml.is_open


def test_no_visible_card_and_no_driver_are_normal(hooks, run, nvml, monkeypatch):
    def no_driver():
        raise NvmlFailure(NvmlProblem(code=9, text="NVIDIA's driver is not loaded"))

    monkeypatch.setattr(telemetry, "opened", no_driver)
    result = measure(hooks, run)
    assert not any(name.startswith("gpu") for name in result["peak"])
    assert not hooks.dropped


def test_samples_are_logged_at_the_next_step(hooks, run, loop):
    class Metrics:
        def __init__(self):
            self.records = []

        @hookimpl
        def metrics(self, values, step, phase):
            self.records.append((phase, step, set(values)))

    hooks.register("telemetry", Telemetry(every_s=0.01))
    metrics = Metrics()
    hooks.register("metrics", metrics)
    hooks.call("run_started", run=run)
    deadline = time.monotonic() + 5
    while not metrics.records and time.monotonic() < deadline:
        time.sleep(0.01)
        loop.step += 1
        hooks.call("step_ended", run=run, loop=loop)
    hooks.call("run_ended", run=run, state="finished")
    phase, step, names = metrics.records[0]
    assert phase == "perf"
    assert step >= 1
    assert "cpu_percent" in names


def test_the_thread_ends_with_the_run(hooks, run):
    import threading

    measure(hooks, run)
    assert "lab-telemetry" not in {thread.name for thread in threading.enumerate()}
