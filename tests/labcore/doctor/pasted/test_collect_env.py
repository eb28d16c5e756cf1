"""What is read from the blocks of collect_env of all times, and from other tools' outputs."""

from pathlib import Path

import pytest

from labcore.doctor.machine import Machine
from labcore.doctor.pasted import describe, read

REPORTS = Path(__file__).parent / "reports"


def machine(name: str) -> Machine:
    return read((REPORTS / f"{name}.txt").read_text(encoding="utf-8")).machine


def told(text: str) -> Machine:
    return read(text).machine


def test_a_block_of_torch_1_7_from_conda():
    found = machine("env_1_7_conda_healthy")
    assert (found.os, found.os_name, found.architecture) == (
        "linux",
        "Ubuntu 18.04.5 LTS",
        "x86_64",
    )
    assert found.python == "3.8"
    assert found.torch is not None
    assert (found.torch.version, found.torch.cuda, found.torch.cudnn) == ("1.7.1", "11.0", "8.0.5")
    assert found.driver == "450.102.04"
    assert found.toolkits is not None
    assert found.toolkits[0].version == "11.0.221"
    assert found.cards is not None
    assert [(card.name, card.index, card.compute_capability) for card in found.cards] == [
        ("GeForce RTX 2080 Ti", 0, "7.5"),
        ("GeForce RTX 2080 Ti", 1, "7.5"),
    ]
    assert found.gcc == "7.5.0"
    assert found.is_conda is True
    assert found.packages is not None
    assert found.packages["cudatoolkit"] == "11.0.221"
    assert "pytorch" not in found.packages
    assert found.libraries is not None
    assert (found.libraries[0].name, found.libraries[0].version) == ("libcudnn.so.8.0.4", "8.0.4")


def test_a_block_of_torch_1_5_on_windows():
    found = machine("env_1_5_windows_healthy")
    assert (found.os, found.os_name, found.python) == ("windows", "Microsoft Windows 10 Pro", "3.7")
    assert found.torch is not None
    assert (found.torch.version, found.torch.cuda) == ("1.5.0+cu101", "10.1")
    assert found.gcc is None
    assert found.cards is not None
    assert found.cards[0].name == "Quadro P1000"


def test_a_mac_has_a_torch_without_cuda_and_no_card():
    found = machine("env_macos_healthy")
    assert (found.os, found.os_name, found.architecture) == ("macos", "macOS 14.2.1", "arm64")
    assert found.torch is not None
    assert found.torch.cuda == ""
    assert (found.cards, found.driver, found.toolkits) == (None, None, None)


def test_wsl_is_known_by_its_kernel():
    found = machine("env_wsl_healthy")
    assert found.is_wsl is True
    assert found.kernel == "5.15.153.1-microsoft-standard-WSL2"
    assert found.glibc == "2.35"


def test_slices_of_a_card_are_told_from_the_card():
    found = machine("env_a100_mig_healthy")
    assert found.cards is not None
    assert [(card.mig_enabled, card.mig_profile) for card in found.cards] == [
        (True, None),
        (False, "1g.5gb"),
        (False, "1g.5gb"),
    ]


def test_a_build_for_amd_is_no_cpu_build_and_its_card_none_of_nvidia():
    found = machine("env_rocm_healthy")
    assert found.torch is not None
    assert found.torch.cuda is None
    assert found.cards is None


def test_a_block_with_aligned_colons_is_read_too():
    found = machine("env_vllm_style_healthy")
    assert found.torch is not None
    assert (found.torch.version, found.torch.cuda) == ("2.7.0+cu126", "12.6")
    assert found.cards is not None
    assert [card.index for card in found.cards] == [0, 1]
    assert found.driver == "560.35.03"


def test_a_table_of_nvidia_smi_gives_driver_ceiling_card_and_memory():
    found = machine("quiet_nvidia_smi")
    assert (found.driver, found.driver_cuda) == ("550.120", "12.4")
    assert found.cards is not None
    (card,) = found.cards
    assert (card.name, card.memory_mib, card.memory_used_mib) == (
        "NVIDIA GeForce RTX 3090",
        24576,
        12,
    )
    assert found.toolkits is None  # the ceiling is no toolkit


def test_a_list_of_nvidia_smi_gives_names_and_uuids():
    found = told("GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77)\n")
    assert found.cards is not None
    assert (found.cards[0].name, found.cards[0].compute_capability) == (
        "NVIDIA A100-SXM4-40GB",
        "8.0",
    )


@pytest.mark.parametrize(
    ("text", "package", "version"),
    [
        ("torch                     2.1.0+cu118\n", "torch", "2.1.0+cu118"),
        ("tensorflow-gpu==2.4.1\n", "tensorflow-gpu", "2.4.1"),
        ("protobuf                  4.21.1    pypi_0    pypi\n", "protobuf", "4.21.1"),
        ("Successfully installed mpmath-1.3.0 torch-2.1.0 triton-2.1.0\n", "torch", "2.1.0"),
        (">>> torch.__version__\n'2.0.1+cu117'\n", "torch", "2.0.1+cu117"),
        (">>> print(tf.__version__)\n2.8.0\n", "tensorflow", "2.8.0"),
        ("tf.version.VERSION = 2.4.1\n", "tensorflow", "2.4.1"),
        ("**TensorFlow version**: 2.15\n", "tensorflow", "2.15"),
        ("- PyTorch Version (e.g., 1.0): 1.7.1\n", "torch", "1.7.1"),
        ("* PyTorch3D version: 0.7.4\n", "pytorch3d", "0.7.4"),
        ("### TensorFlow version\n\n2.9.1\n", "tensorflow", "2.9.1"),
        ("### Tensorflow Version\n\nv2.17.0-rc1-2-gad6d8cc177d 2.17.0\n", "tensorflow", "2.17.0"),
    ],
)
def test_versions_are_read_from_lists_prompts_and_forms(text, package, version):
    found = told(text)
    assert found.packages is not None
    assert found.packages[package] == version


def test_nvcc_gcc_and_python_are_read_from_their_banners():
    found = told(
        "Cuda compilation tools, release 11.7, V11.7.64\n"
        "gcc (Ubuntu 9.4.0-1ubuntu1~20.04.2) 9.4.0\n"
        "Python 3.8.10\n"
    )
    assert found.toolkits is not None
    assert (found.toolkits[0].version, found.gcc, found.python) == ("11.7.64", "9.4.0", "3.8.10")


@pytest.mark.parametrize(
    "line",
    [
        "Created device /job:localhost/replica:0/task:0/device:GPU:0 with 14000 MB memory:  -> "
        "device: 0, name: Tesla V100-SXM2-16GB, pci bus id: 0000:00:0a.0, compute capability: 7.0",
        "pciBusID: 0000:00:0a.0 name: Tesla V100-SXM2-16GB computeCapability: 7.0",
    ],
)
def test_tensorflow_names_its_card_at_the_start(line):
    found = told(line + "\n")
    assert found.cards is not None
    assert (found.cards[0].name, found.cards[0].compute_capability) == (
        "Tesla V100-SXM2-16GB",
        "7.0",
    )


def test_what_people_write_in_passing_is_no_fact_of_the_machine():
    found = told("With torch 2.0.1 it worked on the RTX 3080, driver 470.82 or so, CUDA 11.4.\n")
    assert found == Machine(origin="report")


def test_a_torch_for_cuda_is_known_by_the_end_of_its_version():
    assert told("torch==2.0.1+cu117\n").torch.cuda == "11.7"
    assert told("torch==2.0.1+cpu\n").torch.cuda == ""
    assert told("torch==2.0.1\n").torch.cuda is None


@pytest.mark.parametrize(
    ("build", "cuda"),
    [
        ("py3.10_cuda11.7_cudnn8.5.0_0", "11.7"),
        ("cuda112py38h3d13839_1", "11.2"),
        ("py3.9_cpu_0", ""),
    ],
)
def test_the_cuda_of_a_conda_build_is_in_its_build_string(build, cuda):
    block = "Is debug build: False\n[conda] pytorch      1.13.1      " + build + "    pytorch\n"
    found = told(block)
    assert found.torch is not None
    assert found.torch.cuda == cuda


def test_a_machine_is_described_in_a_line():
    assert describe(machine("env_1_7_conda_healthy")) == (
        "Ubuntu 18.04.5 LTS, Python 3.8, torch 1.7.1, CUDA 11.0 in it, toolkit 11.0.221, "
        "driver 450.102.04, 2 x GeForce RTX 2080 Ti"
    )
    assert describe(Machine(origin="report")) == ""


def test_a_text_that_tells_nothing_says_so():
    from labcore.doctor.checks import all_checks
    from labcore.doctor.pasted import diagnose_report

    (only,) = diagnose_report(read("Hello, can anybody help?\n"), all_checks())
    assert (only.check, only.state) == ("nothing-found", "unknown")
