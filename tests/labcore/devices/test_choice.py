"""Choosing where a run computes."""

import os
import subprocess
import sys

import pytest

from labcore.devices import DevicePlan, meets, plan
from labcore.errors import RequirementError, UsageError
from labcore.plugin import Requires

ANY = Requires()
GPU_ONLY = Requires(cpu=False)


@pytest.fixture(autouse=True)
def eight_cores(monkeypatch):
    monkeypatch.setattr("labcore.devices.choice.available_cores", lambda: 8)


@pytest.fixture
def no_framework(monkeypatch):
    """Other tests of this process may have imported torch."""
    for name in ("torch", "tensorflow"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.fixture
def clean_environ(monkeypatch):
    """Undoes what a plan sets."""
    monkeypatch.setattr(os, "environ", dict(os.environ))


def test_auto_without_a_gpu_is_the_cpu_with_every_core(driver):
    driver(error=True)
    chosen = plan("auto", ANY)
    assert (chosen.kind, chosen.index, chosen.uuid, chosen.threads) == ("cpu", None, None, 8)
    assert chosen.env["CUDA_VISIBLE_DEVICES"] == ""
    assert chosen.describe() == "CPU, 8 threads (there is no NVIDIA GPU with a working driver)"


def test_auto_takes_the_gpu_with_the_most_free_memory(driver, card):
    driver(card("GPU-a", used_mib=9_000), card("GPU-b", used_mib=100))
    chosen = plan("auto", ANY)
    assert (chosen.kind, chosen.index, chosen.uuid) == ("cuda", 1, "GPU-b")
    assert chosen.env["CUDA_VISIBLE_DEVICES"] == "GPU-b"
    assert chosen.env["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    assert chosen.torch_device == "cuda:0"
    assert chosen.describe() == "GPU 1, Fake GPU, 17 GB, 8 threads (best of 2 GPUs)"


def test_auto_prefers_a_gpu_that_has_the_declared_memory(driver, card):
    driver(card("GPU-small", total_mib=8_192), card("GPU-big", total_mib=24_576, used_mib=6_000))
    assert plan("auto", Requires(min_memory_gb=16)).uuid == "GPU-big"


def test_auto_uses_a_gpu_too_small_for_the_paper_and_says_so(driver, card):
    driver(card("GPU-small", total_mib=8_192))
    requires = Requires(min_memory_gb=16)
    chosen = plan("auto", requires)
    assert chosen.uuid == "GPU-small"
    assert "too small for preset=paper, which needs 16 GB" in chosen.reason
    assert not meets(chosen, requires)


def test_a_gpu_with_the_declared_memory_meets_the_requirements(driver, card):
    driver(card("GPU-a", total_mib=16_384))
    requires = Requires(min_memory_gb=16, min_compute_capability=8.0)
    assert meets(plan("auto", requires), requires)
    assert not meets(plan("cpu", requires), requires)


def test_auto_skips_gpus_of_an_older_generation(driver, card):
    driver(card("GPU-old", capability=(6, 1)))
    requires = Requires(min_compute_capability=7.0)
    chosen = plan("auto", requires)
    assert chosen.kind == "cpu"
    assert "compute capability 7.0 (the best has 6.1)" in chosen.reason


def test_cpu_is_the_cpu_even_where_there_is_a_gpu(driver, card):
    driver(card("GPU-a"))
    chosen = plan("cpu", ANY)
    assert chosen.kind == "cpu"
    assert chosen.env["CUDA_VISIBLE_DEVICES"] == ""


def test_cuda_without_a_gpu_is_a_requirement_with_a_way_out(driver):
    driver()
    with pytest.raises(RequirementError, match="no NVIDIA GPU") as caught:
        plan("cuda", ANY)
    assert "device=cpu" in str(caught.value.fix)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("request_", ["auto", "cpu", "cuda", "cuda:0"])
def test_a_plugin_that_needs_a_gpu_is_refused_without_one(driver, request_):
    driver()
    with pytest.raises(RequirementError) as caught:
        plan(request_, GPU_ONLY)
    assert "device=cpu" not in str(caught.value.fix)


def test_a_numbered_gpu_counts_among_the_visible_ones(driver, card, monkeypatch):
    driver(card("GPU-a"), card("GPU-b"), card("GPU-c"))
    assert plan("cuda:2", ANY).uuid == "GPU-c"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,1")
    assert plan("cuda:0", ANY).uuid == "GPU-c"
    assert plan("cuda:0", ANY).index == 2
    with pytest.raises(UsageError, match="only 2 GPUs") as caught:
        plan("cuda:2", ANY)
    assert caught.value.problems == ("cuda:0 is Fake GPU", "cuda:1 is Fake GPU")


def test_a_numbered_gpu_of_an_older_generation_is_refused(driver, card):
    driver(card("GPU-old", capability=(6, 1)))
    with pytest.raises(RequirementError, match=r"capability 6\.1, this plugin needs 7\.0"):
        plan("cuda:0", Requires(min_compute_capability=7.0))


def test_hidden_gpus_are_not_taken_and_the_reason_names_the_variable(driver, card, monkeypatch):
    driver(card("GPU-a"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert plan("auto", ANY).kind == "cpu"
    with pytest.raises(RequirementError, match="CUDA_VISIBLE_DEVICES='' hides every GPU"):
        plan("cuda", ANY)


@pytest.mark.parametrize("wrong", ["gpu", "cuda:", "cuda:-1", "cuda:0,1", "", "CUDA", "mps"])
def test_a_wrong_device_is_a_usage_error_that_lists_the_right_ones(driver, wrong):
    driver()
    with pytest.raises(UsageError, match="is not a device") as caught:
        plan(wrong, ANY)
    for allowed in ("auto", "cpu", "cuda", "cuda:0"):
        assert f"device={allowed}" in str(caught.value.fix)


def test_a_plugin_that_wants_two_gpus_gets_two_in_bus_order(driver, card):
    driver(card("GPU-a", used_mib=500), card("GPU-b", used_mib=9_000), card("GPU-c"))
    chosen = plan("auto", Requires(num_gpus=2))
    assert chosen.uuids == ("GPU-a", "GPU-c")
    assert chosen.env["CUDA_VISIBLE_DEVICES"] == "GPU-a,GPU-c"
    assert chosen.describe().startswith("2 GPUs, first GPU 0")
    assert plan("auto", Requires(num_gpus=5)).uuids == ("GPU-a", "GPU-b", "GPU-c")


def test_more_processes_than_gpus_are_refused(driver, card):
    driver(card("GPU-a"))
    with pytest.raises(RequirementError, match="the run has 2 processes"):
        plan("auto", ANY, count=2)
    with pytest.raises(RequirementError, match="device=cuda:0 names one"):
        plan("cuda:0", ANY, count=2)


def test_processes_on_a_cpu_share_the_cores(driver):
    driver()
    assert plan("cpu", ANY, count=2).threads == 4
    assert plan("cpu", ANY, 3, count=2).threads == 3


def test_processes_that_torchrun_started_agree_whatever_is_in_use(driver, card, monkeypatch):
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    driver(card("GPU-a", used_mib=9_000), card("GPU-b"), card("GPU-c"))
    assert plan("auto", ANY).uuids == ("GPU-a", "GPU-b")


def test_threads_come_from_the_option_then_the_variable(driver, monkeypatch):
    driver()
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert plan("cpu", ANY).threads == 3
    chosen = plan("cpu", ANY, 2)
    assert (chosen.threads, chosen.env["OMP_NUM_THREADS"], chosen.env["MKL_NUM_THREADS"]) == (
        2,
        "2",
        "2",
    )


def test_waiting_threads_are_passive_unless_the_user_says_otherwise(driver, monkeypatch):
    driver()
    assert plan("cpu", ANY).env["OMP_WAIT_POLICY"] == "passive"
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    assert plan("cpu", ANY).env["OMP_WAIT_POLICY"] == "active"


def test_tensorflow_gets_its_variables_and_torch_does_not(driver):
    driver()
    env = plan("cpu", Requires(framework="tensorflow")).env
    assert (env["TF_USE_LEGACY_KERAS"], env["TF_FORCE_GPU_ALLOW_GROWTH"]) == ("1", "true")
    assert not any(name.startswith("TF_") for name in plan("cpu", Requires(framework="torch")).env)


def test_the_plugins_own_variables_are_set(driver, no_framework, clean_environ):
    driver()
    plan("cpu", Requires(env={"PYTORCH_X": "1"}), 2).apply()
    assert os.environ["PYTORCH_X"] == "1"
    assert os.environ["OMP_NUM_THREADS"] == "2"


def loaded(monkeypatch, *names: str) -> None:
    for name in names:
        monkeypatch.setitem(sys.modules, name, sys)


def test_after_the_import_of_a_framework_other_gpus_are_refused(
    driver, card, monkeypatch, no_framework, clean_environ
):
    driver(card("GPU-a"), card("GPU-b"))
    loaded(monkeypatch, "torch")
    with pytest.raises(RuntimeError, match="CUDA_VISIBLE_DEVICES cannot change any more"):
        plan("cuda:1", Requires(framework="torch")).apply()
    assert "CUDA_VISIBLE_DEVICES" not in os.environ


def test_after_the_import_of_a_framework_the_same_gpus_are_accepted(
    driver, card, monkeypatch, no_framework, clean_environ
):
    driver(card("GPU-a"))
    loaded(monkeypatch, "torch")
    plan("auto", Requires(framework="torch")).apply()
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "GPU-a"


def test_on_a_machine_without_gpus_hiding_them_late_changes_nothing(
    driver, monkeypatch, no_framework, clean_environ
):
    driver()
    loaded(monkeypatch, "torch", "tensorflow")
    plan("cpu", Requires(framework="torch"), 2).apply()
    assert os.environ["OMP_NUM_THREADS"] == "2"


def test_a_variable_that_the_loaded_framework_has_read_is_refused(
    driver, monkeypatch, no_framework, clean_environ
):
    driver()
    os.environ.pop("TF_USE_LEGACY_KERAS", None)
    loaded(monkeypatch, "tensorflow")
    with pytest.raises(RuntimeError, match="TF_USE_LEGACY_KERAS"):
        plan("cpu", Requires(framework="tensorflow")).apply()


def test_planning_imports_no_framework():
    code = (
        "import sys; from labcore.devices import plan; from labcore.plugin import Requires; "
        "plan('auto', Requires(framework='torch')).apply(); "
        "sys.exit(bool({'torch', 'tensorflow', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.ml
def test_torch_gets_the_planned_threads_and_says_why_a_gpu_cannot_be_used(monkeypatch):
    torch = pytest.importorskip("torch", reason="torch is not installed: pip install torch")
    from labcore.devices.torch_setup import configure_torch

    before = torch.get_num_threads()
    try:
        assert configure_torch(DevicePlan(kind="cpu", threads=1)) == torch.device("cpu")
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(RequirementError, match="GPU H100 cannot be used"):
        configure_torch(DevicePlan(kind="cuda", name="H100", threads=before))
