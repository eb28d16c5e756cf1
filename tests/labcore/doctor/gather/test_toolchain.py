"""CUDA toolkits and compilers."""

import sys
from pathlib import Path

import pytest

from labcore.doctor.gather import (
    toolchain,
)
from tests.labcore.doctor.gather.folders import lay

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's own folders")


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
    assert found.has_nvcc


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
