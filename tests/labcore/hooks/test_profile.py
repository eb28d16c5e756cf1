"""What the profiler leaves behind."""

import csv
import gzip
import json
from types import SimpleNamespace

import pytest

from labcore.hooks import hookimpl
from labcore.hooks.profile import FILE_NAME, Profile

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.ml


@pytest.fixture
def train(hooks, run, loop):
    def train(num_steps, **options):
        hooks.register("profile", Profile(**options))
        added = []

        class Added:
            @hookimpl
            def artifact_added(self, artifact):
                added.append(artifact)

        hooks.register("added", Added())
        hooks.call("run_started", run=run)
        hooks.call("fit_started", run=run, loop=loop)
        for step in range(num_steps):
            hooks.call("step_started", run=run, loop=loop)
            # Every step multiplies once more than the step before: the counts tell which were seen.
            for _ in range(step + 1):
                torch.ones(8, 8) @ torch.ones(8, 8)
            loop.step += 1
            hooks.call("step_ended", run=run, loop=loop)
        hooks.call("fit_ended", run=run, loop=loop, reason="max_steps")
        hooks.call("run_ended", run=run, state="finished")
        return added

    return train


def multiplications(run) -> int:
    with (run.folder / "artifacts/profile/operators.csv").open(encoding="utf-8") as file:
        calls = {row["operator"]: int(row["calls"]) for row in csv.DictReader(file)}
    return calls["aten::mm"]


def summary(run) -> dict:
    return json.loads((run.folder / FILE_NAME).read_text())


def test_only_the_wanted_steps_are_profiled(train, run):
    train(10, first=2, steps=3)
    assert multiplications(run) == 3 + 4 + 5
    assert summary(run)["steps"] == 3
    assert summary(run)["cpu_ms"] > 0


def test_a_profile_ends_with_the_training(train, run):
    train(4, first=2, steps=50)
    assert summary(run)["steps"] == 2
    assert multiplications(run) == 3 + 4


def test_the_whole_run_can_be_profiled(train, run):
    train(3, whole=True)
    assert multiplications(run) == 1 + 2 + 3


def test_table_and_trace_are_artifacts_and_the_trace_holds_the_operators(train, run):
    added = train(3, first=0, steps=3)
    assert [artifact.kind for artifact in added] == ["table", "file"]
    with gzip.open(run.folder / added[1].path, "rt", encoding="utf-8") as file:
        names = [event.get("name") for event in json.load(file)["traceEvents"]]
    assert names.count("aten::mm") == 6


def test_the_trace_can_be_left_out(train, run):
    added = train(3, first=0, steps=3, trace=False)
    assert [artifact.kind for artifact in added] == ["table"]
    assert not list(run.folder.rglob("trace*"))


def test_a_run_too_short_for_a_profile_says_so(train, run):
    train(2, first=5)
    assert not (run.folder / FILE_NAME).exists()
    assert any("nothing was profiled: the run took 2 steps" in text for _, text in run.said)


def test_no_kernel_is_counted_on_a_cpu(train, run):
    train(3, whole=True)
    if torch.cuda.is_available():
        pytest.skip("has a GPU; tests/gpu looks at what is seen there")
    assert summary(run)["num_kernels"] == 0
    assert summary(run)["kernel_ms"] == 0


def test_kernels_count_and_the_ranges_that_a_program_names_do_not():
    from torch.autograd import DeviceType

    from labcore.hooks.profile import _rows

    def event(key, device, own_us, *, named=False):
        return SimpleNamespace(
            key=key, count=2, device_type=device, is_user_annotation=named,
            self_device_time_total=own_us, self_cpu_time_total=own_us,
        )  # fmt: skip

    rows = _rows(
        [
            event("aten::mm", DeviceType.CPU, 500),
            event("sgemm", DeviceType.CUDA, 1500),
            event("my range", DeviceType.CUDA, 9000, named=True),
        ]
    )
    assert rows == {"CPU": [("aten::mm", 2, 0.5)], "GPU": [("sgemm", 2, 1.5)]}


@pytest.mark.parametrize("options", [{"first": -1}, {"steps": 0}])
def test_senseless_numbers_are_refused(options):
    with pytest.raises(ValueError, match="first must be 0 or more"):
        Profile(**options)
