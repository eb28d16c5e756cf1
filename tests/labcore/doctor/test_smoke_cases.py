"""What is tried with each plugin on which GPUs."""

from dataclasses import dataclass, field

import pytest

from labcore.devices import Gpu
from labcore.discovery import FoundPlugin
from labcore.doctor.smoke import plan_cases
from labcore.plugin import Plugin, Requires, Task
from labcore.training.config import LoopConfig


@dataclass
class Trains:
    train: LoopConfig = field(default_factory=LoopConfig)


@dataclass
class Renders:
    views: int = 3


def gpu(uuid="GPU-1", capability=8.6):
    return Gpu(
        index=0, uuid=uuid, name="Card", memory_total_mib=24_000, memory_used_mib=0,
        compute_capability=capability, driver="580.65.06",
    )  # fmt: skip


def plugin(config=Trains, *, trains=True, presets=("smoke",), missing=(), **requires):
    declared = Plugin(
        name="toy",
        summary="A toy.",
        tasks=(Task(name="go", summary="Goes.", run="x:y", trains=trains),),
        config=config,
        presets=dict.fromkeys(presets, "seconds"),
        requires=Requires(**{"framework": "torch", **requires}),
    )
    return FoundPlugin(name="toy", origin="test", plugin=declared, missing=missing)


def test_a_plugin_that_trains_runs_alone_in_mixed_precision_and_on_two_gpus():
    cases = plan_cases([plugin()], [gpu(), gpu("GPU-2")])
    assert [case.name for case in cases] == [
        "toy: smoke",
        "toy: mixed precision",
        "toy: two processes",
    ]
    assert [case.overrides for case in cases] == [
        (),
        ("train.precision=bf16-mixed",),
        ("train.devices=2",),
    ]
    assert not any(case.skipped for case in cases)


def test_one_gpu_is_too_few_for_two_processes():
    *others, two = plan_cases([plugin()], [gpu()])
    assert "needs two GPUs" in two.skipped
    assert not any(case.skipped for case in others)


def test_old_gpus_have_no_bfloat16():
    cases = plan_cases([plugin()], [gpu(capability=7.5)])
    assert cases[1].overrides == ("train.precision=16-mixed",)


@pytest.mark.parametrize("found", [plugin(Renders), plugin(trains=False)])
def test_a_plugin_whose_first_task_does_not_train_runs_its_preset_only(found):
    assert [case.kind for case in plan_cases([found], [gpu(), gpu("GPU-2")])] == ["smoke"]


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (plugin(missing=("torch is not installed",)), "cannot run here: torch is not installed"),
        (FoundPlugin(name="toy", origin="test", error="SyntaxError"), "SyntaxError"),
        (plugin(framework="tensorflow"), "TensorFlow computes on the CPU"),
        (plugin(framework="none"), "no framework"),
        (plugin(presets=("laptop",)), "no preset called smoke"),
        (plugin(min_compute_capability=9.0), "needs a GPU of compute capability 9.0"),
    ],
)
def test_a_plugin_that_makes_no_sense_here_is_skipped_with_the_reason(found, reason):
    (case,) = plan_cases([found], [gpu()])
    assert reason in case.skipped
