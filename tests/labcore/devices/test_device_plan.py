"""Where a run would compute, and the environment that it gets."""

import os
import subprocess
import sys
import types

import pytest

from labcore.devices import DeviceRequest, fits_paper, plan
from labcore.errors import RequirementError, UsageError
from labcore.plugin import Requires
from tests.stub_nvml import gpu, machine

ANY = Requires()
GPU_ONLY = Requires(cpu=False)


def ask(name: str = "auto", **options: object) -> DeviceRequest:
    return DeviceRequest.read(name, **options)


@pytest.fixture(autouse=True)
def _eight_cores(monkeypatch):
    monkeypatch.setattr("labcore.devices.device_plan.available_cores", lambda: 8)


@pytest.fixture
def no_framework(monkeypatch):
    """Other tests of this process may have imported torch."""
    for name in ("torch", "tensorflow"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.fixture
def clean_environ():
    """Undoes what a plan sets."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def test_auto_without_a_gpu_is_the_cpu_with_every_core(driver):
    driver("driver_not_loaded")
    chosen = plan(ask(), ANY)
    assert (chosen.kind, chosen.index, chosen.uuid, chosen.threads) == ("cpu", None, None, 8)
    assert chosen.env["CUDA_VISIBLE_DEVICES"] == ""
    assert chosen.torch_device == "cpu"
    assert chosen.describe() == "CPU, 8 threads (there is no NVIDIA GPU with a working driver)"


def test_auto_takes_a_free_gpu_and_hides_the_others(driver):
    stub = driver("two_24gb_one_busy")
    chosen = plan(ask(), ANY)
    assert stub.scenario.read_text().splitlines()[4].split()[1] == f"uuid={chosen.uuid}"
    assert (chosen.kind, chosen.index) == ("cuda", 1)
    assert chosen.env["CUDA_VISIBLE_DEVICES"] == chosen.uuid
    assert chosen.env["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    assert chosen.torch_device == "cuda:0"
    assert chosen.describe() == (
        "GPU 1, NVIDIA GeForce RTX 3090, 26 GB, 8 threads (the first free one of 2 GPUs)"
    )


def test_a_plan_leases_nothing_and_makes_no_files(driver, tmp_path):
    driver("one_24gb")
    assert plan(ask(), ANY).lease is None
    assert not (tmp_path / "leases").exists()


def test_the_smallest_card_that_has_the_memory_is_taken(driver):
    driver("small_and_big")
    assert plan(ask(), ANY).name == "NVIDIA GeForce RTX 3060"
    assert plan(ask(min_memory_gb=20), ANY).name == "NVIDIA GeForce RTX 3090"
    assert plan(ask(min_memory_gb=30), ANY).name == "NVIDIA RTX A6000"
    assert "smallest free one of the 2 GPUs" in plan(ask(min_memory_gb=20), ANY).reason


def test_the_paper_preset_needs_the_declared_memory_and_others_do_not(driver):
    driver("small_and_big")
    requires = Requires(min_memory_gb=40)
    assert plan(ask(), requires, paper=True).name == "NVIDIA RTX A6000"
    assert plan(ask(), requires).name == "NVIDIA GeForce RTX 3060"


def test_a_paper_run_on_a_machine_of_small_cards_goes_ahead_and_says_so(driver):
    driver("one_24gb")
    chosen = plan(ask(), Requires(min_memory_gb=40), paper=True)
    assert chosen.reason == "the only GPU; too small for preset=paper, which needs 40 GB"


def test_auto_with_every_gpu_in_use_is_refused_not_sent_to_the_cpu(driver):
    driver(machine(gpu(0, proc="4999999:8900"), gpu(1, used=12_000)))
    with pytest.raises(RequirementError, match="no GPU is free for this run") as caught:
        plan(ask(), ANY)
    text = str(caught.value)
    assert caught.value.exit_code == 3
    assert "GPU 0 (NVIDIA GeForce RTX 3090, 26 GB): used by process 4999999" in text
    assert "GPU 1 (NVIDIA GeForce RTX 3090, 26 GB): used by a process that cannot be seen" in text
    for way in ("device.wait=10m", "device.share=true", "device=cpu"):
        assert way in caught.value.fix
    with pytest.raises(RequirementError) as only_gpu:
        plan(ask(), GPU_ONLY)
    assert "device=cpu" not in only_gpu.value.fix


def test_a_gpu_in_use_can_be_shared_on_request(driver):
    driver(machine(gpu(0, used=9_000, proc="4999999:8900")))
    assert plan(ask(share=True), ANY).index == 0
    with pytest.raises(RequirementError, match=r"16\.3 GB free, the run needs 20"):
        plan(ask(share=True, min_memory_gb=20), ANY)


def test_auto_skips_gpus_of_an_older_generation(driver):
    driver(machine(gpu(0, cc="6.1")))
    chosen = plan(ask(), Requires(min_compute_capability=7.0))
    assert chosen.kind == "cpu"
    assert "compute capability 6.1, the plugin needs 7.0" in chosen.reason


def test_a_broken_driver_is_the_reason_for_the_cpu(driver):
    driver("version_mismatch")
    assert "different versions" in plan(ask(), ANY).reason


def test_a_card_that_fell_off_the_bus_is_told(driver):
    driver(machine(gpu(0, error=15)))
    assert "fallen off the bus" in plan(ask(), ANY).reason
    driver(machine(gpu(0, error=15), gpu(1, proc="5:1")))
    with pytest.raises(RequirementError, match="card 0 does not answer"):
        plan(ask(), ANY)


def test_cpu_is_the_cpu_even_where_there_is_a_gpu(driver):
    driver("one_24gb")
    chosen = plan(ask("cpu"), ANY)
    assert (chosen.kind, chosen.reason) == ("cpu", "device=cpu")
    assert chosen.env["CUDA_VISIBLE_DEVICES"] == ""


def test_cuda_without_a_gpu_is_a_requirement_with_a_way_out(driver):
    driver("driver_not_loaded")
    with pytest.raises(RequirementError, match="no NVIDIA GPU") as caught:
        plan(ask("cuda"), ANY)
    assert "device=cpu" in caught.value.fix


@pytest.mark.parametrize("name", ["auto", "cpu", "cuda", "cuda:0", "GPU-1"])
def test_a_plugin_that_needs_a_gpu_is_refused_without_one(driver, name):
    driver("driver_not_loaded")
    with pytest.raises(RequirementError) as caught:
        plan(ask(name), GPU_ONLY)
    assert "device=cpu" not in caught.value.fix


def test_memory_that_no_card_has_is_refused_even_for_auto(driver):
    driver("one_24gb")
    with pytest.raises(RequirementError, match="no GPU of this machine will do") as caught:
        plan(ask(min_memory_gb=80), ANY)
    assert caught.value.fix == "lower device.min_memory_gb"
    driver("driver_not_loaded")
    with pytest.raises(RequirementError, match="a GPU is asked for, and there is no NVIDIA GPU"):
        plan(ask(min_memory_gb=80), ANY)


def test_a_numbered_gpu_counts_among_the_visible_ones(driver, monkeypatch):
    driver("three_plain")
    assert plan(ask("cuda:2"), ANY).index == 2
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,1")
    assert plan(ask("0"), ANY).index == 2
    assert plan(ask("0"), ANY).reason == "device=0"
    with pytest.raises(UsageError, match="only 2 GPUs") as caught:
        plan(ask("cuda:2"), ANY)
    assert caught.value.problems == ("GPUs 0 and 1 (NVIDIA GeForce RTX 3090, 26 GB)",)


def test_a_numbered_gpu_that_will_not_do_is_refused_with_the_reason(driver):
    driver(machine(gpu(0, cc="6.1"), gpu(1, proc="77:5")))
    with pytest.raises(RequirementError, match=r"capability 6\.1, the plugin needs 7\.0"):
        plan(ask("cuda:0"), Requires(min_compute_capability=7.0))
    with pytest.raises(RequirementError, match="device=1 is not free") as caught:
        plan(ask("1"), ANY)
    assert "take another: device=cuda" in caught.value.fix


def test_a_uuid_may_be_cut_short_while_it_is_unique(driver):
    driver("eight_with_mig")
    assert plan(ask("GPU-00000003"), ANY).name == "NVIDIA A100-SXM4-80GB"
    assert plan(ask("MIG-00000001-000b"), ANY).memory_gb == pytest.approx(20.9, abs=0.1)
    with pytest.raises(UsageError, match="is the start of 4 UUIDs") as caught:
        plan(ask("GPU-0"), ANY)
    assert len(caught.value.problems) == 4
    with pytest.raises(UsageError, match="no GPU has that UUID"):
        plan(ask("GPU-9"), ANY)


def test_a_card_in_mig_mode_is_no_device_and_its_slices_are_named(driver):
    driver("eight_with_mig")
    with pytest.raises(UsageError, match="in MIG mode") as caught:
        plan(ask("GPU-00000001"), ANY)
    assert len(caught.value.problems) == 3
    assert caught.value.fix == "name a slice"
    with pytest.raises(UsageError) as empty:
        plan(ask("GPU-00000002"), ANY)
    assert "nvidia-smi mig" in empty.value.fix
    driver(machine(gpu(0, mig=1, lack="")))
    assert "is in MIG mode and has no slice" in plan(ask(), ANY).reason


def test_hidden_gpus_are_not_taken_and_the_reason_names_the_variable(driver, monkeypatch):
    stub = driver("one_24gb")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert plan(ask(), ANY).kind == "cpu"
    with pytest.raises(RequirementError, match="CUDA_VISIBLE_DEVICES='' hides every GPU"):
        plan(ask("cuda"), ANY)
    with pytest.raises(RequirementError, match="hides every GPU") as caught:
        plan(ask("0"), ANY)
    assert "unset CUDA_VISIBLE_DEVICES" in caught.value.fix
    stub.write(machine(gpu(0), gpu(1)))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with pytest.raises(RequirementError, match="hides it"):
        plan(ask("GPU-00000001"), ANY)


def test_a_run_of_several_gets_whole_cards_of_one_kind_in_bus_order(driver):
    driver("small_and_big")
    chosen = plan(ask(count=2), ANY)
    assert len(chosen.uuids) == 2
    assert chosen.env["CUDA_VISIBLE_DEVICES"] == ",".join(chosen.uuids)
    assert chosen.describe().startswith("2 GPUs, first GPU 1")
    assert chosen.reason == "2 free ones of 3 GPUs"
    assert len(plan(ask(), Requires(num_gpus=9)).uuids) == 3


def test_more_gpus_than_there_are_is_refused(driver):
    driver("one_24gb")
    with pytest.raises(RequirementError, match=r"device\.count=2, and there is one GPU"):
        plan(ask(count=2), ANY)
    with pytest.raises(RequirementError, match="the run has 2 processes"):
        plan(ask(), ANY, processes=2)
    driver("eight_with_mig")
    with pytest.raises(
        RequirementError, match="the run needs 2 GPUs, and fewer are free"
    ) as caught:
        plan(ask(count=2), ANY)
    assert "a MIG slice: the processes of one run cannot use several" in str(caught.value)
    with pytest.raises(
        RequirementError, match=r"device\.count=9, and 3 of the 16 GPUs here will do"
    ):
        plan(ask(count=9), ANY)


def test_processes_on_a_cpu_share_the_cores(driver):
    driver("driver_not_loaded")
    assert plan(ask("cpu"), ANY, processes=2).threads == 4
    assert plan(ask("cpu"), ANY, 3, processes=2).threads == 3


def test_processes_that_torchrun_started_agree_whatever_is_in_use(driver, monkeypatch):
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "1")
    driver(machine(gpu(0), gpu(1), gpu(2)))
    before = plan(ask(), ANY).uuids
    assert [uuid[:12] for uuid in before] == ["GPU-00000000", "GPU-00000001"]


@pytest.mark.parametrize(
    ("scenario", "name", "memory", "fits"),
    [
        ("one_24gb", "auto", 20, True),
        ("one_24gb", "auto", 40, False),
        ("one_24gb", "cpu", 20, False),
        ("driver_not_loaded", "auto", 0, False),
        ("driver_not_loaded", "cuda", 0, False),
        (machine(gpu(0, proc="5:9")), "auto", 20, True),
    ],
)
def test_the_paper_preset_fits_a_card_that_has_the_memory_in_use_or_not(
    driver, scenario, name, memory, fits
):
    driver(scenario)
    assert fits_paper(ask(name), Requires(min_memory_gb=memory)) is fits


def test_threads_come_from_the_option_then_the_variable(driver, monkeypatch):
    driver("driver_not_loaded")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert plan(ask("cpu"), ANY).threads == 3
    chosen = plan(ask("cpu"), ANY, 2)
    variables = (chosen.env["OMP_NUM_THREADS"], chosen.env["MKL_NUM_THREADS"])
    assert (chosen.threads, *variables) == (2, "2", "2")


def test_waiting_threads_are_passive_unless_the_user_says_otherwise(driver, monkeypatch):
    driver("driver_not_loaded")
    assert plan(ask("cpu"), ANY).env["OMP_WAIT_POLICY"] == "passive"
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    assert plan(ask("cpu"), ANY).env["OMP_WAIT_POLICY"] == "active"


def test_tensorflow_gets_its_variables_and_torch_does_not(driver):
    driver("driver_not_loaded")
    env = plan(ask("cpu"), Requires(framework="tensorflow")).env
    assert env["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
    torch_env = plan(ask("cpu"), Requires(framework="torch")).env
    assert not any(name.startswith("TF_") for name in torch_env)


def test_legacy_keras_is_for_the_plugins_that_ask_for_it(driver):
    driver("driver_not_loaded")
    assert "TF_USE_LEGACY_KERAS" not in plan(ask("cpu"), Requires(framework="tensorflow")).env
    asking = Requires(framework="tensorflow", env={"TF_USE_LEGACY_KERAS": "1"})
    assert plan(ask("cpu"), asking).env["TF_USE_LEGACY_KERAS"] == "1"


def test_the_plugins_own_variables_are_set(driver, no_framework, clean_environ):
    driver("driver_not_loaded")
    plan(ask("cpu"), Requires(env={"PYTORCH_X": "1"}), 2).apply()
    assert os.environ["PYTORCH_X"] == "1"
    assert os.environ["OMP_NUM_THREADS"] == "2"


def loaded(monkeypatch, *names: str, has_used_a_gpu: bool = True) -> None:
    """Makes frameworks seem imported."""
    cuda = types.SimpleNamespace(is_initialized=lambda: has_used_a_gpu)
    for name in names:
        monkeypatch.setitem(sys.modules, name, types.SimpleNamespace(cuda=cuda))


def test_after_the_import_of_a_framework_other_gpus_are_refused(
    driver, monkeypatch, no_framework, clean_environ
):
    driver("three_plain")
    loaded(monkeypatch, "torch")
    with pytest.raises(RuntimeError, match="CUDA_VISIBLE_DEVICES cannot change any more"):
        plan(ask("cuda:1"), Requires(framework="torch")).apply()
    assert "CUDA_VISIBLE_DEVICES" not in os.environ


def test_after_the_import_of_a_framework_the_same_gpus_are_accepted(
    driver, monkeypatch, no_framework, clean_environ
):
    driver("one_24gb")
    loaded(monkeypatch, "torch")
    chosen = plan(ask(), Requires(framework="torch"))
    chosen.apply()
    assert os.environ["CUDA_VISIBLE_DEVICES"] == chosen.uuid


def test_a_torch_that_has_not_looked_for_gpus_may_still_be_given_others(
    driver, monkeypatch, no_framework, clean_environ
):
    driver("three_plain")
    loaded(monkeypatch, "torch", has_used_a_gpu=False)
    chosen = plan(ask("cuda:1"), Requires(framework="torch"))
    chosen.apply()
    assert os.environ["CUDA_VISIBLE_DEVICES"] == chosen.uuid


def test_on_a_machine_without_gpus_hiding_them_late_changes_nothing(
    driver, monkeypatch, no_framework, clean_environ
):
    driver("driver_not_loaded")
    loaded(monkeypatch, "torch", "tensorflow")
    plan(ask("cpu"), Requires(framework="torch"), 2).apply()
    assert os.environ["OMP_NUM_THREADS"] == "2"


def test_a_variable_that_the_loaded_framework_has_read_is_refused(
    driver, monkeypatch, no_framework, clean_environ
):
    driver("driver_not_loaded")
    os.environ.pop("TF_USE_LEGACY_KERAS", None)
    loaded(monkeypatch, "tensorflow")
    asking = Requires(framework="tensorflow", env={"TF_USE_LEGACY_KERAS": "1"})
    with pytest.raises(RuntimeError, match="TF_USE_LEGACY_KERAS"):
        plan(ask("cpu"), asking).apply()


def test_planning_imports_no_framework():
    code = (
        "import sys; from labcore.devices import DeviceRequest, plan; "
        "from labcore.plugin import Requires; "
        "plan(DeviceRequest.read(), Requires(framework='torch')).apply(); "
        "sys.exit(bool({'torch', 'tensorflow', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
