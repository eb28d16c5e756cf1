"""Finding facts: from made-up system folders, from this environment, and never failing."""

import importlib.metadata
import os
import platform
import sys
import textwrap
from pathlib import Path

import pytest

from labcore.devices import Gpu, GpuProcess, NvmlProblem, Survey
from labcore.doctor import gather
from labcore.doctor.gather import (
    driver,
    extensions,
    files,
    frameworks,
    gather_here,
    libraries,
    loader,
    packages,
    system,
    toolchain,
    tools,
)
from labcore.doctor.gather.environment import read_environment
from labcore.doctor.machine import CompiledExtension, TorchBuild

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's own folders")


def lay(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    return root


@pytest.fixture
def no_cache(monkeypatch) -> None:
    """A loader that knows no library."""
    monkeypatch.setattr(loader, "system_libraries", dict)
    monkeypatch.setattr(libraries, "system_libraries", dict)


def test_this_machine_is_known_and_no_framework_was_imported() -> None:
    machine = gather_here()
    assert machine.origin == "here"
    assert machine.python == platform.python_version()
    assert (machine.usable_cores or 0) >= 1
    assert (machine.memory_gb or 0) > 0.1
    assert (machine.packages or {})["click"] == importlib.metadata.version("click")
    assert machine.encoding == sys.getfilesystemencoding()


def test_a_gatherer_that_fails_leaves_only_its_own_facts_unknown() -> None:
    def breaks():
        raise OSError("strange machine")

    machine = gather_here([lambda: {"cores": 4}, breaks, lambda: {"gcc": "12.2.0"}])
    assert (machine.cores, machine.gcc, machine.driver) == (4, "12.2.0", None)


def test_every_gatherer_is_one_that_this_machine_survives() -> None:
    for each in gather.GATHERERS:
        assert isinstance(each(), dict)


@linux
def test_the_system_is_told_from_its_files(tmp_path) -> None:
    lay(
        tmp_path,
        {"etc/os-release": 'NAME=x\nPRETTY_NAME="Test Linux 7"\n', "run/.containerenv": ""},
    )
    facts = system.read_system(tmp_path, {"SLURM_JOB_ID": "12"})
    assert facts["os"] == "linux"
    assert facts["os_name"] == "Test Linux 7"
    assert (facts["container"], facts["is_cluster"]) == ("podman", "slurm")


@pytest.mark.parametrize(
    ("files_there", "environ", "container"),
    [
        ({}, {}, ""),
        ({".dockerenv": ""}, {}, "docker"),
        ({".dockerenv": ""}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "kubernetes"),
        ({}, {"SINGULARITY_CONTAINER": "/x.sif"}, "apptainer"),
        ({}, {"container": "systemd-nspawn"}, "systemd-nspawn"),
    ],
)
def test_a_container_is_recognised(tmp_path, files_there, environ, container) -> None:
    facts = system.read_system(lay(tmp_path, files_there), environ)
    assert facts["container"] == container


@pytest.mark.parametrize(
    ("name", "text", "limit"),
    [
        ("memory.max", "max\n", None),
        ("memory.max", "2000000000\n", 2.0),
        ("memory/memory.limit_in_bytes", "9223372036854771712\n", None),
        ("memory/memory.limit_in_bytes", "4000000000\n", 4.0),
    ],
)
def test_the_memory_limit_of_a_container_is_read(tmp_path, name, text, limit) -> None:
    assert (
        system.read_limits(lay(tmp_path, {f"sys/fs/cgroup/{name}": text}))["memory_limit_gb"]
        == limit
    )


def test_free_space_is_asked_of_folders_that_are_not_there_yet(tmp_path, monkeypatch) -> None:
    folder = tmp_path / "not" / "yet"
    monkeypatch.setenv("LAB_DATA_DIR", str(folder))
    assert system.read_resources()["disk_free_gb"][str(folder)] > 0


@linux
def test_a_driver_is_told_from_its_files(tmp_path, monkeypatch) -> None:
    library = tmp_path / "lib" / "libnvidia-ml.so.580.65.06"
    lay(
        tmp_path,
        {
            "proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  "
            "535.183.01  Sun May 12\n",
            "sys/bus/pci/devices/0000:01:00.0/vendor": "0x10de\n",
            "sys/bus/pci/devices/0000:01:00.0/class": "0x030000\n",
            "sys/bus/pci/devices/0000:01:00.1/vendor": "0x10de\n",  # the sound of the same card
            "sys/bus/pci/devices/0000:01:00.1/class": "0x040300\n",
            "sys/bus/pci/devices/0000:02:00.0/vendor": "0x8086\n",
            "sys/bus/pci/devices/0000:02:00.0/class": "0x030000\n",
            "dev/nvidia0": "",
            "dev/nvidia-caps/nvidia-cap1": "",
            "lib/libnvidia-ml.so.580.65.06": "",
        },
    )
    (tmp_path / "lib" / "libnvidia-ml.so.1").symlink_to(library)
    monkeypatch.setattr(driver, "find_library", lambda name: str(tmp_path / "lib" / name))
    facts = driver.read_driver_files(tmp_path)
    assert facts["nvidia_pci"] == 1
    assert facts["kernel_driver"] == "535.183.01"
    assert facts["nvml_library"] == "580.65.06"
    assert facts["device_nodes"] == {"/dev/nvidia0": True}


@linux
def test_no_driver_is_an_empty_answer_and_not_an_unknown_one(
    tmp_path, no_cache, monkeypatch
) -> None:
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    assert driver.read_driver_files(tmp_path) == {
        "nvidia_pci": 0,
        "kernel_driver": "",
        "device_nodes": {},
        "nvml_library": "",
        "libcuda": "",
    }


def test_elsewhere_the_files_of_linux_are_not_known(monkeypatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert driver.read_driver_files() == {}
    assert libraries.find_libraries() == {}
    assert extensions.read_extensions() == {}
    loader.system_libraries.cache_clear()
    assert loader.system_libraries() == {}
    loader.system_libraries.cache_clear()


def a_gpu(**changes) -> Gpu:
    fields = {
        "index": 0,
        "uuid": "GPU-1",
        "name": "RTX 4090",
        "memory_total_mib": 24564,
        "memory_used_mib": 400,
        "compute_capability": 8.9,
        "driver": "580.1",
        "processes": (GpuProcess(pid=7),),
        "throttle": ("hardware slowdown",),
    }
    return Gpu(**{**fields, **changes})


def test_cards_are_those_of_the_survey_with_cut_cards_before_their_slices(monkeypatch) -> None:
    piece = a_gpu(uuid="MIG-1", parent_uuid="GPU-2", mig_profile="1g.5gb", throttle=None)
    said = Survey(
        gpus=(a_gpu(), piece, a_gpu(uuid="MIG-2", parent_uuid="GPU-2")),
        parents=(a_gpu(uuid="GPU-2", compute_capability=9.0),),
        driver="580.1",
        cuda_driver="13.0",
        lost=("card 3: gone",),
    )
    monkeypatch.setattr(driver, "survey", lambda: said)
    facts = driver.read_cards()
    assert (facts["driver"], facts["driver_cuda"]) == ("580.1", "13.0")
    assert facts["lost_cards"] == ("card 3: gone",)
    parent, whole, first, second = facts["cards"]
    assert (parent.mig_enabled, parent.compute_capability) == (True, "9.0")
    assert (whole.num_processes, whole.throttle) == (1, ("hardware slowdown",))
    assert (first.mig_profile, first.throttle) == ("1g.5gb", ())
    assert second.mig_profile is not None  # a slice is a slice, named or not


@pytest.mark.parametrize(("code", "cards"), [(12, ()), (9, ()), (18, None), (999, None)])
def test_without_an_answer_there_is_no_card_or_it_is_not_known(monkeypatch, code, cards) -> None:
    monkeypatch.setattr(driver, "survey", lambda: Survey(problem=NvmlProblem(code=code, text="t")))
    facts = driver.read_cards()
    assert facts["cards"] == cards
    assert facts["driver_trouble"].code == code


TORCH_VERSION = """
    from typing import Optional
    __version__ = '2.12.1+cu130'
    cuda: Optional[str] = '13.0'
    hip: Optional[str] = None
"""


def test_torchs_build_is_read_from_its_files(tmp_path) -> None:
    lay(tmp_path, {"version.py": TORCH_VERSION, "lib/libcudnn.so.8": ""})
    library = b"\x7fELF noise sm_1 \0sm_word\0 sm_90 \0sm_75 sm_80 sm_90a compute_90\0\0more"
    (tmp_path / "lib" / "libtorch_python.so").write_bytes(library)
    build = frameworks.read_torch(tmp_path)["torch"]
    assert (build.version, build.cuda) == ("2.12.1+cu130", "13.0")
    assert build.archs == ("sm_75", "sm_80", "sm_90a", "compute_90")
    assert build.cudnn is not None


def test_a_cpu_build_and_one_for_amd_have_no_cuda(tmp_path) -> None:
    cpu = "__version__ = '2.1.0+cpu'\ncuda = None\nhip = None\n"
    amd = "__version__ = '2.6.0+rocm6.2'\ncuda = None\nhip = '6.2.41133-dd7f95766'\n"
    expected = TorchBuild(version="2.1.0+cpu", cuda="", archs=())
    assert frameworks.read_torch(lay(tmp_path / "a", {"version.py": cpu}))["torch"] == expected
    build = frameworks.read_torch(lay(tmp_path / "b", {"version.py": amd}))["torch"]
    assert (build.cuda, build.hip) == ("", "6.2.41133-dd7f95766")


def test_a_torch_without_a_list_of_kernels_has_unknown_ones(tmp_path) -> None:
    lay(tmp_path, {"version.py": TORCH_VERSION, "lib/libtorch_python.so": "no list here"})
    assert frameworks.read_torch(tmp_path)["torch"].archs is None
    (tmp_path / "lib" / "libtorch_python.so").unlink()
    assert frameworks.read_torch(tmp_path)["torch"].archs is None


def test_no_torch_or_half_a_torch_is_none(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(frameworks, "package_folder", lambda name: None)
    assert frameworks.read_torch() == {"torch": None}
    assert frameworks.read_torch(lay(tmp_path, {"lib/x": ""})) == {"torch": None}
    assert frameworks.read_tensorflow() == {"tensorflow": None}


@pytest.mark.ml
def test_the_kernels_found_in_torchs_file_are_those_that_torch_names() -> None:
    import torch

    build = frameworks.read_torch()["torch"]
    assert build.version == torch.__version__
    assert (build.cuda or None) == torch.version.cuda
    flags = torch._C._cuda_getArchFlags() if torch.version.cuda else ""
    assert list(build.archs) == (flags or "").split()


@pytest.mark.parametrize(
    "text",
    [
        "build_info = collections.OrderedDict([('cuda_version', '12.5.1'), ('cudnn_version', '9'),"
        " ('cuda_compute_capabilities', ['sm_60', 'compute_90'])])\n",
        "build_info = {'cuda_version': '12.5.1', 'cudnn_version': '9', "
        "'cuda_compute_capabilities': ['sm_60', 'compute_90']}\n",
    ],
)
def test_tensorflows_build_is_read_from_its_files(tmp_path, monkeypatch, text) -> None:
    monkeypatch.setattr(frameworks, "_version", lambda name: "2.21.0" if "cpu" in name else None)
    lay(tmp_path, {"python/platform/build_info.py": f'"""Generated."""\n{text}'})
    build = frameworks.read_tensorflow(tmp_path)["tensorflow"]
    assert (build.version, build.cuda, build.cudnn) == ("2.21.0", "12.5.1", "9")
    assert build.archs == ("sm_60", "compute_90")


@pytest.mark.parametrize("text", ["", "build_info = {'cuda': f()}\n", "build_info = {1}\n"])
def test_a_build_that_cannot_be_read_is_not_known(tmp_path, monkeypatch, text) -> None:
    monkeypatch.setattr(frameworks, "_version", lambda name: "2.4.1")
    lay(tmp_path, {"python/platform/build_info.py": text})
    build = frameworks.read_tensorflow(tmp_path)["tensorflow"]
    assert (build.version, build.cuda, build.archs) == ("2.4.1", None, None)


@linux
def test_compiled_extensions_are_looked_at_where_they_are_installed(tmp_path, monkeypatch) -> None:
    lay(tmp_path, {"torch/lib/x": "", "nvidia/cudnn/lib/x": "", "pytorch3d/_C.abi.so": "no ELF"})
    monkeypatch.setattr(
        extensions,
        "package_folder",
        lambda name: tmp_path / name if (tmp_path / name).is_dir() else None,
    )
    path = str(tmp_path / "pytorch3d" / "_C.abi.so")
    expected = (CompiledExtension(package="pytorch3d", path=path),)
    assert extensions.read_extensions() == {"extensions": expected}


def install(root: Path, folder: str, metadata: str = "", record: str = "") -> list[str]:
    """Lays down the records of a distribution; returns the path that it is found on."""
    lay(root, {f"{folder}/METADATA": metadata, f"{folder}/RECORD": record})
    return [str(root)]


def test_packages_have_normalised_names_and_what_they_ask_for(tmp_path) -> None:
    path = install(
        tmp_path,
        "Tf_Keras-2.21.0.dist-info",
        "Name: tf_keras\nVersion: 2.21.0\nRequires-Dist: tensorflow<2.22,>=2.21\n"
        "Requires-Dist: pytest; extra == 'test'\n\nRequires-Dist: a line of the description\n",
    )
    lay(tmp_path, {"old.egg-info/PKG-INFO": "Name: Old.Package\nVersion: 1.0\n"})
    facts = packages.read_packages(path)
    assert facts["packages"] == {"old-package": "1.0", "tf-keras": "2.21.0"}
    assert facts["requirements"] == {"tf-keras": ("tensorflow<2.22,>=2.21",)}


def test_two_wheels_that_own_one_file_are_found_and_the_winner_comes_first(tmp_path) -> None:
    shared = "nvidia/cudnn/lib/libcudnn.so.9"
    other = "nvidia/cudnn/lib/libcudnn_ops.so.9,sha256=c,5\n"
    install(tmp_path, "nvidia_cudnn_cu12-9.3.0.75.dist-info", "", f"{shared},sha256=a,4\nx,,\n")
    path = install(
        tmp_path, "nvidia_cudnn_cu13-9.20.0.48.dist-info", "", f"{shared},sha256=b,6\n{other}"
    )
    lay(tmp_path, {shared: "sixsix"})
    owners = {shared: ("nvidia-cudnn-cu13", "nvidia-cudnn-cu12")}
    assert packages.find_shared_files(path) == {"owners": owners}
    (tmp_path / shared).unlink()
    owners = {shared: ("nvidia-cudnn-cu12", "nvidia-cudnn-cu13")}
    assert packages.find_shared_files(path) == {"owners": owners}


def test_byte_code_is_looked_for_beside_the_big_packages(tmp_path, monkeypatch) -> None:
    folders = {"torch": tmp_path}
    monkeypatch.setattr(packages, "package_folder", folders.get)
    assert packages.read_python()["has_bytecode"] is False
    tag = sys.implementation.cache_tag
    lay(tmp_path, {f"__pycache__/__init__.{tag}.pyc": ""})
    assert packages.read_python()["has_bytecode"] is True
    folders.clear()
    assert packages.read_python()["has_bytecode"] is None


def test_who_provides_pynvml_is_told_apart(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(sys, "path", [str(lay(tmp_path / "a", {"pynvml/__init__.py": ""}))])
    monkeypatch.delitem(sys.modules, "pynvml", raising=False)
    assert packages._modules() == {"pynvml": "pynvml"}
    monkeypatch.setattr(sys, "path", [str(lay(tmp_path / "b", {"pynvml.py": ""}))])
    assert packages._modules() == {"pynvml": "nvidia-ml-py"}
    monkeypatch.setattr(sys, "path", [])
    assert packages._modules() == {}


@linux
def test_libraries_are_told_by_where_the_loader_meets_them(tmp_path, monkeypatch, no_cache) -> None:
    wheel = lay(tmp_path / "site", {"libcublas.so.13": ""}) / "libcublas.so.13"
    shadow = lay(tmp_path / "cuda", {"libcublas.so.13.2.0": "", "readme": "", "libfoo.so.1": ""})
    (shadow / "libcublas.so.13").symlink_to(shadow / "libcublas.so.13.2.0")
    monkeypatch.setattr(
        libraries, "nvidia_files", lambda: iter([(wheel, "nvidia-cublas", "13.1.1.3", 0)])
    )
    monkeypatch.setattr(
        libraries, "system_libraries", lambda: {"libnccl.so.2": "/lib/libnccl.so.2"}
    )
    environ = {"LD_LIBRARY_PATH": f"{shadow}:/not/there"}
    found = libraries.find_libraries(environ)["libraries"]
    assert [(each.name, each.where, each.version) for each in found] == [
        ("libcublas.so.13", "wheel", "13.1.1.3"),
        ("libcublas.so.13", "ld_library_path", "13.2.0"),
        ("libcublas.so.13.2.0", "ld_library_path", "13.2.0"),
        ("libnccl.so.2", "system", "2"),
    ]


def test_libdevice_is_looked_for_where_xla_does(tmp_path) -> None:
    lay(tmp_path, {"nvvm/libdevice/libdevice.10.bc": ""})
    flags = {"XLA_FLAGS": f"--xla_dump_to=x --xla_gpu_cuda_data_dir={tmp_path}"}
    expected = str(tmp_path / "nvvm/libdevice/libdevice.10.bc")
    assert libraries.find_libdevice(flags)["libdevice"] == expected
    assert libraries.find_libdevice({"CUDA_DIR": str(tmp_path)})["libdevice"] == expected


def test_ld_library_path_comes_before_the_cache(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(loader, "system_libraries", lambda: {"libx.so.1": "/lib/libx.so.1"})
    lay(tmp_path, {"libx.so.1": ""})
    found = loader.find_library("libx.so.1", {"LD_LIBRARY_PATH": str(tmp_path)})
    assert found == str(tmp_path / "libx.so.1")
    assert loader.find_library("libx.so.1", {}) == "/lib/libx.so.1"
    assert loader.find_library("liby.so.1", {}) == ""


def test_a_system_without_a_cache_is_asked_by_name(monkeypatch, no_cache) -> None:
    monkeypatch.setattr(loader.ctypes.util, "find_library", lambda name: f"lib{name}.dylib")
    assert loader.find_library("libfluidsynth.so.3", {}) == "libfluidsynth.dylib"


def make_toolkit(root: Path, version: int = 11080, *, cccl: bool = False) -> Path:
    include = "include/cccl" if cccl else "include"
    lay(
        root,
        {
            "include/cuda.h": f"#define CUDA_VERSION {version}\n",
            f"{include}/cub/version.cuh": "#define CUB_VERSION 101501 // x\n",
            f"{include}/thrust/version.h": "#define THRUST_VERSION 101501\n",
            "bin/nvcc": "\x7fELF",
        },
    )
    (root / "bin" / "nvcc").chmod(0o755)
    return root


@pytest.mark.parametrize("cccl", [False, True])
def test_a_toolkit_tells_its_versions_by_its_headers(tmp_path, cccl) -> None:
    folder = make_toolkit(tmp_path / "usr/local/cuda-11.8", cccl=cccl)
    [found] = toolchain.find_toolkits(tmp_path, {"PATH": ""})["toolkits"]
    assert (found.version, found.root) == ("11.8", str(folder))
    assert (found.cub, found.thrust) == ("1.15.1", "1.15.1")
    assert (found.has_nvcc, found.has_libdevice) == (True, False)


def test_a_toolkit_without_headers_is_known_by_its_version_file(tmp_path) -> None:
    version = '{\n "cuda" : {\n  "name" : "CUDA SDK",\n  "version" : "12.4.1"\n }\n}'
    lay(tmp_path, {"usr/local/cuda/version.json": version})
    lay(tmp_path, {"opt/cuda-9/version.txt": "CUDA Version 9.2.148\n"})
    lay(tmp_path, {"usr/local/cuda-empty/readme": ""})
    found = toolchain.find_toolkits(tmp_path, {"PATH": ""})["toolkits"]
    assert [each.version for each in found] == ["12.4", "9.2"]


@linux
def test_a_wrapper_on_path_leads_to_the_real_toolkit_but_fools_torch(tmp_path) -> None:
    real = make_toolkit(tmp_path / "cuda-11.8")
    lay(tmp_path, {"local/bin/nvcc": f'#!/bin/sh\nexec {real}/bin/nvcc "$@"\n'})
    (tmp_path / "local/bin/nvcc").chmod(0o755)
    facts = toolchain.find_toolkits(tmp_path, {"PATH": str(tmp_path / "local/bin")})
    assert [each.root for each in facts["toolkits"]] == [str(real)]
    assert facts["cuda_home"] == str(tmp_path / "local")


@linux
def test_the_toolkit_of_nvcc_comes_first_and_each_only_once(tmp_path) -> None:
    make_toolkit(tmp_path / "usr/local/cuda-11.8")
    newer = make_toolkit(tmp_path / "usr/local/cuda-12.4", 12040)
    (tmp_path / "usr/local/cuda").symlink_to(newer)
    environ = {"PATH": str(newer / "bin"), "CUDA_HOME": str(tmp_path / "usr/local/cuda")}
    facts = toolchain.find_toolkits(tmp_path, environ)
    assert [each.version for each in facts["toolkits"]] == ["12.4", "11.8"]
    assert facts["cuda_home"] == environ["CUDA_HOME"]


def test_without_nvcc_torch_takes_the_usual_folder_or_none(tmp_path) -> None:
    assert toolchain.find_toolkits(tmp_path, {"PATH": ""}) == {"toolkits": (), "cuda_home": ""}
    make_toolkit(tmp_path / "usr/local/cuda")
    found = toolchain.find_toolkits(tmp_path, {"PATH": ""})
    assert found["cuda_home"] == str(tmp_path / "usr/local/cuda")


@linux
def test_the_compiler_is_the_one_that_cxx_names(tmp_path) -> None:
    fake = lay(tmp_path, {"g++-9": "#!/bin/sh\necho 9.5.0\n"}) / "g++-9"
    fake.chmod(0o755)
    assert toolchain.find_compilers({"CXX": str(fake)})["gcc"] == "9.5.0"
    assert toolchain.find_compilers({"CXX": str(tmp_path / "none")})["gcc"] == ""


def test_cub_home_is_read_or_found_empty(tmp_path) -> None:
    lay(tmp_path, {"cub/version.cuh": "#define CUB_VERSION 101702\n"})
    assert toolchain.read_cub_home({"CUB_HOME": str(tmp_path)})["cub_home_version"] == "1.17.2"
    inner = {"CUB_HOME": str(tmp_path / "cub")}
    assert toolchain.read_cub_home(inner)["cub_home_version"] == ""
    assert toolchain.read_cub_home({})["cub_home_version"] is None


def test_variables_are_those_on_the_list_and_never_a_secret() -> None:
    taken = read_environment(
        {
            "CUDA_VISIBLE_DEVICES": "0",
            "LD_LIBRARY_PATH": "/x",
            "LAB_API_KEY": "abc",
            "NCCL_TOKEN": "abc",
            "WANDB_API_KEY": "abc",
            "MY_OWN": "abc",
            "WANDB_BASE_URL": "https://tester:abc@wandb.example.org",
        }
    )["environ"]
    assert taken == {
        "CUDA_VISIBLE_DEVICES": "0",
        "LD_LIBRARY_PATH": "/x",
        "WANDB_BASE_URL": "https://***@wandb.example.org",
    }


@pytest.mark.parametrize(
    ("settings", "environ", "mode"),
    [
        ("", {}, ""),
        ("[default]\nmode = offline\n", {}, "offline"),
        ("[default]\nmode = offline\n", {"WANDB_MODE": "online"}, "online"),
        ("", {"WANDB_DISABLED": "true"}, "disabled"),
        ("not a settings file", {}, ""),
    ],
)
def test_the_mode_of_wandb_is_found(tmp_path, monkeypatch, settings, environ, mode) -> None:
    monkeypatch.chdir(tmp_path)
    lay(tmp_path, {".config/wandb/settings": settings})
    assert tools.read_wandb(tmp_path, environ)["wandb_mode"] == mode


def test_a_cache_folder_that_is_not_there_may_be_made_or_not(tmp_path) -> None:
    lay(tmp_path, {"file": ""})
    environ = {"XDG_CACHE_HOME": str(tmp_path / "new"), "TORCH_HOME": str(tmp_path / "file" / "x")}
    dirs = tools.find_caches(tmp_path, environ)["cache_dirs"]
    assert dirs[str(tmp_path / "new" / "huggingface")] is True
    assert dirs[str(tmp_path / "file" / "x")] is False


@linux
def test_tools_are_found_or_known_to_be_missing(tmp_path, monkeypatch, no_cache) -> None:
    git = lay(tmp_path, {"git": "#!/bin/sh\n"}) / "git"
    git.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    monkeypatch.setattr(loader, "system_libraries", lambda: {"libEGL.so.1": "/lib/libEGL.so.1"})
    found = tools.find_tools()["tools"]
    assert found["git"] == str(git)
    assert found["libEGL"] == "/lib/libEGL.so.1"
    assert found["ffmpeg"] == found["libfluidsynth"] == ""


@linux
def test_a_command_that_hangs_or_fails_says_nothing(monkeypatch) -> None:
    monkeypatch.setattr(files, "_PATIENCE_S", 0.1)
    assert files.output_of(["sleep", "30"]) == ""
    assert files.output_of(["false"]) == ""
    assert files.output_of([os.devnull]) == ""
    assert files.output_of(["echo", "hello"]) == "hello\n"


def test_a_package_is_located_without_importing_it(tmp_path, monkeypatch) -> None:
    lay(tmp_path, {"explosive/__init__.py": "raise SystemExit('imported')"})
    monkeypatch.syspath_prepend(str(tmp_path))
    assert files.package_folder("explosive") == tmp_path / "explosive"
    assert files.package_folder("no_such_package") is None
    assert files.package_folder("os") is None
