"""Installed packages, and the libraries that the loader meets."""

import sys
from pathlib import Path

import pytest

from labcore.doctor.gather import (
    files,
    libraries,
    packages,
)
from tests.labcore.doctor.gather.folders import lay

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's own folders")


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
    monkeypatch.setattr(files, "system_libraries", lambda: {"libx.so.1": "/lib/libx.so.1"})
    lay(tmp_path, {"libx.so.1": ""})
    found = files.find_library("libx.so.1", {"LD_LIBRARY_PATH": str(tmp_path)})
    assert found == str(tmp_path / "libx.so.1")
    assert files.find_library("libx.so.1", {}) == "/lib/libx.so.1"
    assert files.find_library("liby.so.1", {}) == ""


def test_a_system_without_a_cache_is_asked_by_name(monkeypatch, no_cache) -> None:
    monkeypatch.setattr(files.ctypes.util, "find_library", lambda name: f"lib{name}.dylib")
    assert files.find_library("libfluidsynth.so.3", {}) == "libfluidsynth.dylib"
