"""What torch, TensorFlow and compiled extensions were built with, without importing them."""

import sys

import pytest

from labcore.doctor.gather import (
    frameworks,
)
from labcore.doctor.machine import CompiledExtension, TorchBuild
from tests.labcore.doctor.gather.folders import lay

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's own folders")

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
        frameworks,
        "package_folder",
        lambda name: tmp_path / name if (tmp_path / name).is_dir() else None,
    )
    path = str(tmp_path / "pytorch3d" / "_C.abi.so")
    expected = (CompiledExtension(package="pytorch3d", path=path),)
    assert frameworks.read_extensions() == {"extensions": expected}
