"""Whether a plugin can run here, told from its declaration."""

from dataclasses import dataclass, replace

import pytest

from labcore import Dataset, Plugin, Requires, Task
from labcore.discovery import FoundPlugin
from labcore.doctor import diagnose
from labcore.doctor.finding import failure, warning
from labcore.doctor.plugin_needs import areas_of, plugin_checks, stops
from tests.labcore.doctor.machines import A100, GTX_950M, LAPTOP, RTX_4090, WORKSTATION


@dataclass(kw_only=True, slots=True)
class Config:
    pass


def declare(datasets=(), **needs) -> Plugin:
    return Plugin(
        name="toy",
        summary="A toy.",
        config=Config,
        tasks=(Task(name="work", summary="Works.", run="toy:work"),),
        datasets=datasets,
        requires=Requires(**needs),
    )


def found(plugin: Plugin | None, **fields) -> FoundPlugin:
    return FoundPlugin(name="toy", origin="plugins/toy", plugin=plugin, **fields)


def ask(plugin: Plugin, check: str, machine=WORKSTATION, **fields):
    checks = [each for each in plugin_checks(found(plugin, **fields)) if each.id == check]
    return diagnose(machine, checks)


def test_packages_that_are_here_are_named_with_their_versions() -> None:
    [finding] = ask(declare(packages=("torch>=2.11,<2.13", "numpy")), "plugin-packages")
    assert finding.state == "ok"
    assert "torch 2.12.1, numpy 2.4.6" in finding.summary


def test_a_missing_package_stops_the_plugin_and_the_command_is_told() -> None:
    plugin = declare(packages=("kornia",))
    [finding] = ask(
        plugin, "plugin-packages", missing=("kornia is not installed",), fix='pip install "kornia"'
    )
    assert (finding.state, finding.fix) == ("failure", 'pip install "kornia"')
    assert stops(plugin, "plugin", finding)


@pytest.mark.parametrize(
    ("needs", "machine", "state", "says"),
    [
        ({}, LAPTOP, "ok", "needs no GPU"),
        (
            {"num_gpus": 1, "min_memory_gb": 24},
            WORKSTATION,
            "ok",
            "GPU 0 (NVIDIA GeForce RTX 4090)",
        ),
        ({"num_gpus": 1, "min_memory_gb": 24}, LAPTOP, "ok", "runs on the CPU"),
        ({"num_gpus": 1, "min_memory_gb": 40}, WORKSTATION, "ok", "26 GB of memory"),
        ({"num_gpus": 2, "cpu": False}, WORKSTATION, "failure", "cannot run without 2 GPUs"),
        ({"cpu": False}, LAPTOP, "failure", "cannot run without a GPU"),
        (
            {"cpu": False, "min_compute_capability": 7.0},
            replace(WORKSTATION, cards=(GTX_950M,)),
            "failure",
            "compute capability 7 or newer",
        ),
        ({"cpu": False}, replace(WORKSTATION, cards=(RTX_4090, A100)), "ok", "GPU 0"),
        ({"cpu": False}, replace(WORKSTATION, cards=None), "unknown", "cannot be listed"),
        (
            {"cpu": False},
            replace(WORKSTATION, cards=(replace(A100, mig_enabled=True),)),
            "failure",
            "without a GPU",
        ),
    ],
)
def test_the_gpu_that_it_needs_is_looked_for(needs, machine, state, says) -> None:
    [finding] = ask(declare(**needs), "plugin-device", machine)
    assert finding.state == state
    assert says in finding.summary


def test_a_variable_set_to_something_else_is_pointed_out() -> None:
    plugin = declare(env={"TF_USE_LEGACY_KERAS": "1"})
    machine = replace(WORKSTATION, environ={"TF_USE_LEGACY_KERAS": "0"})
    [finding] = ask(plugin, "plugin-variables", machine)
    assert finding.state == "warning"
    assert "export TF_USE_LEGACY_KERAS=1" in finding.fix
    [finding] = ask(plugin, "plugin-variables")
    assert finding.state == "ok"
    assert ask(declare(), "plugin-variables") == []


def test_datasets_are_told_present_absent_or_the_users_own(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("LAB_DATA_DIR", str(tmp_path))
    plugin = declare(
        datasets=(
            Dataset(
                name="tunes",
                summary="Tunes.",
                source="pypi:tunes==1.0",
                licence="MIT",
                size_mb=4.3,
                sha256="0" * 64,
            ),
            Dataset(name="own", summary="Yours.", source="folder:data.folder", licence="yours"),
        )
    )
    tunes, own = ask(plugin, "plugin-datasets")
    assert "fetched at first use, 4.3 MB (lab data prepare toy/tunes)" in tunes.summary
    assert "data.folder=PATH" in own.summary


def test_a_plugin_that_cannot_be_loaded_has_one_failure() -> None:
    checks = plugin_checks(
        found(None, error="ImportError: no kornia", fix="python -c 'import toy'")
    )
    [finding] = diagnose(WORKSTATION, checks)
    assert finding.state == "failure"
    assert "ImportError: no kornia" in finding.summary


def test_only_what_concerns_the_plugin_is_looked_at() -> None:
    torch = areas_of(declare(framework="torch", packages=("torch>=2",)))
    assert {"torch", "gpu"} <= torch
    assert "tensorflow" not in torch
    assert "pytorch3d" in areas_of(declare(packages=("easypytorch3d==0.7.9.post1",)))
    assert "gpu" not in areas_of(declare())


def test_a_broken_driver_does_not_stop_what_can_do_without_a_gpu() -> None:
    broken = failure("driver", cause="old", fix="new")
    on_cpu, gpu_only = declare(framework="torch"), declare(framework="torch", cpu=False)
    assert not stops(on_cpu, "gpu", broken)
    assert stops(gpu_only, "gpu", broken)
    assert stops(on_cpu, "torch", broken)
    assert not stops(on_cpu, "torch", warning("w", cause="c", fix="f"))
    assert not stops(on_cpu, "tensorflow", broken)
