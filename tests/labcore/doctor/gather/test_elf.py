"""Whether a compiled extension fits a torch, on small shared objects made here."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from labcore.doctor.gather.elf import defined_by, inspect_extension, wanted_by
from labcore.doctor.mangled import is_torch_symbol, qualified_name

COMPILER = shutil.which("cc") or shutil.which("gcc")
compiled = pytest.mark.skipif(
    COMPILER is None or sys.platform != "linux",
    reason="makes ELF files: needs Linux and a C compiler (apt install gcc)",
)

CHECK_OLD = "_ZN3c104cuda29c10_cuda_check_implementationEiPKcS2_ib"
CHECK_NEW = "_ZN3c104cuda29c10_cuda_check_implementationEiPKcS2_jb"
IS_CUDA = "_ZNK2at10TensorBase7is_cudaEv"


def build(path: Path, *, defines=(), wants=(), weak=(), flags=(), libraries=()) -> Path:
    """Makes a shared object that defines some functions and calls others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    source = "".join(f"int {name}(void) {{ return 1; }}\n" for name in defines)
    source += "".join(f"extern int {name}(void);\n" for name in wants)
    source += "".join(f"extern int {name}(void) __attribute__((weak));\n" for name in weak)
    calls = " + ".join(f"{name}()" for name in (*wants, *weak)) or "0"
    source += f"int entry(void) {{ return {calls}; }}\n"
    file = path.with_suffix(".c")
    file.write_text(source)
    assert COMPILER is not None
    subprocess.run(
        [COMPILER, "-shared", "-fPIC", "-o", path, file, *flags, *map(str, libraries)], check=True
    )
    return path


@pytest.fixture
def torch_lib(tmp_path: Path) -> Path:
    """A torch of two libraries."""
    lib = tmp_path / "torch" / "lib"
    build(lib / "libc10.so", defines=(CHECK_OLD,), flags=("-Wl,-soname,libc10.so",))
    build(lib / "libtorch_cpu.so", defines=(IS_CUDA,), flags=("-Wl,-soname,libtorch_cpu.so",))
    return lib


def extension_path(tmp_path: Path) -> Path:
    return tmp_path / "pytorch3d" / "_C.so"


@compiled
def test_an_extension_built_for_this_torch_lacks_nothing(tmp_path, torch_lib):
    path = build(extension_path(tmp_path), wants=(CHECK_OLD, IS_CUDA))
    found = inspect_extension(path, torch_lib, [])
    assert found.missing_symbols == ()
    assert found.missing_libraries == ()
    assert (found.package, found.path) == ("pytorch3d", str(path))


@compiled
def test_a_function_that_this_torch_does_not_have_is_named_readably(tmp_path, torch_lib):
    path = build(extension_path(tmp_path), wants=(CHECK_NEW, IS_CUDA))
    found = inspect_extension(path, torch_lib, [])
    assert found.missing_symbols == ("c10::cuda::c10_cuda_check_implementation",)


@compiled
def test_symbols_of_others_and_weak_ones_are_not_torchs_to_define(tmp_path, torch_lib):
    path = build(
        extension_path(tmp_path),
        wants=("PyList_New", "_ZN5other4funcEv"),
        weak=("_ZN3c107nowhereEv",),
    )
    assert inspect_extension(path, torch_lib, []).missing_symbols == ()


@compiled
def test_a_symbol_that_a_library_only_wants_itself_does_not_count_as_defined(tmp_path, torch_lib):
    build(torch_lib / "libtorch_python.so", wants=("_ZN2at7missingEv",))
    path = build(extension_path(tmp_path), wants=("_ZN2at7missingEv",))
    assert inspect_extension(path, torch_lib, []).missing_symbols == ("at::missing",)


@compiled
def test_a_needed_library_is_looked_for_beside_torch_and_in_the_given_folders(tmp_path, torch_lib):
    runtime = build(
        tmp_path / "nvidia" / "lib" / "libcudart.so.99", flags=("-Wl,-soname,libcudart.so.99",)
    )
    c10 = torch_lib / "libc10.so"
    path = build(
        extension_path(tmp_path),
        flags=("-Wl,--no-as-needed",),
        libraries=(c10, runtime),
    )
    without = inspect_extension(path, torch_lib, [])
    assert without.missing_libraries == ("libcudart.so.99",)
    assert (without.has_cuda, without.needs_cuda_runtime) == (True, "libcudart.so.99")
    assert inspect_extension(path, torch_lib, [runtime.parent]).missing_libraries == ()


@compiled
def test_an_extension_with_no_cuda_library_is_a_cpu_build(tmp_path, torch_lib):
    path = build(extension_path(tmp_path), wants=(IS_CUDA,))
    found = inspect_extension(path, torch_lib, [])
    assert (found.has_cuda, found.needs_cuda_runtime) == (False, None)


@compiled
@pytest.mark.parametrize("tag", ["--enable-new-dtags", "--disable-new-dtags"])
def test_a_runpath_to_torch_means_that_it_loads_by_itself(tmp_path, torch_lib, tag):
    path = build(
        extension_path(tmp_path),
        flags=("-Wl,--no-as-needed", f"-Wl,{tag}", "-Wl,-rpath,$ORIGIN/../torch/lib"),
        libraries=(torch_lib / "libc10.so",),
    )
    assert inspect_extension(path, torch_lib, []).has_runpath is True
    bare = build(tmp_path / "other" / "_C.so", wants=(IS_CUDA,))
    assert inspect_extension(bare, torch_lib, []).has_runpath is False


@compiled
def test_without_torch_its_libraries_are_missing_and_nothing_is_said_of_symbols(
    tmp_path, torch_lib
):
    path = build(
        extension_path(tmp_path),
        wants=(CHECK_NEW,),
        flags=("-Wl,--no-as-needed",),
        libraries=(torch_lib / "libc10.so",),
    )
    found = inspect_extension(path, tmp_path / "nowhere", [])
    assert found.missing_libraries == ("libc10.so",)
    assert found.missing_symbols == ()


@compiled
@pytest.mark.parametrize("style", ["gnu", "sysv"])
def test_a_library_defines_what_nm_lists_whatever_its_hash_table(tmp_path, style):
    names = [f"_ZN3c10{len(str(i)) + 4}func{i}Ev" for i in range(300)]
    library = build(tmp_path / "lib.so", defines=names[::2], flags=(f"-Wl,--hash-style={style}",))
    with library.open("rb") as opened:
        assert defined_by(ELFFile(opened), names) == set(names[::2])


@compiled
@pytest.mark.skipif(shutil.which("nm") is None, reason="compares with nm (apt install binutils)")
def test_what_an_extension_wants_is_what_nm_says(tmp_path):
    path = build(
        tmp_path / "_C.so",
        wants=(CHECK_NEW, "PyList_New", "other"),
        weak=("perhaps",),
    )
    listed = subprocess.run(
        ["nm", "-D", "--undefined-only", path], check=True, capture_output=True, text=True
    ).stdout.split("\n")
    expected = {line.split()[1].split("@")[0] for line in listed if line.strip().startswith("U ")}
    with path.open("rb") as opened:
        assert set(wanted_by(ELFFile(opened))) == expected
    assert {CHECK_NEW, "PyList_New", "other"} <= expected


@pytest.mark.parametrize("content", [b"", b"MZ\x90\x00 a Windows DLL", b"\x7fELF broken"])
def test_a_file_that_is_no_shared_object_says_nothing(tmp_path, content):
    path = extension_path(tmp_path)
    path.parent.mkdir()
    path.write_bytes(content)
    found = inspect_extension(path, tmp_path / "torch" / "lib", [])
    assert found.package == "pytorch3d"
    assert (found.has_cuda, found.missing_symbols, found.missing_libraries) == (None, (), ())


@compiled
def test_a_truncated_shared_object_says_nothing(tmp_path, torch_lib):
    path = build(extension_path(tmp_path), wants=(CHECK_NEW,))
    path.write_bytes(path.read_bytes()[:1200])
    assert inspect_extension(path, torch_lib, []).has_cuda is None


NAMES = {
    CHECK_NEW: "c10::cuda::c10_cuda_check_implementation",
    "_ZNK2at6Tensor7is_cudaEv": "at::Tensor::is_cuda",
    "_ZNK2at10TensorBase8data_ptrIfEEPT_v": "at::TensorBase::data_ptr<...>",
    "_ZN3c1015SmallVectorBaseIjE8grow_podEPKvmm": "c10::SmallVectorBase<...>::grow_pod",
    "_ZN3c104impl15OperatorEntryV2ISt6vectorIN2at6TensorESaIS4_EELb1ELi3EE4callEv": (
        "c10::impl::OperatorEntryV2<...>::call"
    ),
    "_ZN3c105ErrorC2ENS_14SourceLocationESs": "c10::Error::Error",
    "_ZN3c105ErrorD1Ev": "c10::Error::~Error",
    "_ZN3c10lsERSoNS_10DeviceTypeE": "c10::operator",
    "_ZTVN5torch8autograd12AutogradMetaE": "torch::autograd::AutogradMeta",
    "_Z16THPVariable_WrapN2at10TensorBaseE": "THPVariable_Wrap",
    "_ZThn16_N3c1010TensorImpl3fooEv": "c10::TensorImpl::foo",
    "_ZN2at3fooB5cxx11Ev": "at::foo",
    "THPVariableClass": "THPVariableClass",
    "_ZN": "_ZN",
}


@pytest.mark.parametrize("symbol", NAMES)
def test_the_name_inside_a_mangled_symbol_is_read(symbol):
    assert qualified_name(symbol) == NAMES[symbol]


@pytest.mark.parametrize("symbol", [name for name in NAMES if name != "_ZN"])
def test_symbols_of_torch_are_told_from_others(symbol):
    assert is_torch_symbol(symbol)


@pytest.mark.parametrize(
    "symbol",
    ["_ZNSt6vectorIN2at6TensorEE4sizeEv", "PyList_New", "_ZSt4cout", "_ZN9pybind1110initialize"],
)
def test_a_symbol_that_only_mentions_torch_is_not_torchs(symbol):
    assert not is_torch_symbol(symbol)


@pytest.mark.skipif(shutil.which("c++filt") is None, reason="compares with c++filt (binutils)")
@pytest.mark.parametrize("symbol", [s for s in NAMES if s.startswith("_ZN") and "lsE" not in s])
def test_names_agree_with_the_compilers_own_reader(symbol):
    reading = subprocess.run(
        ["c++filt", symbol], check=True, capture_output=True, text=True
    ).stdout.strip()
    depth, kept = 0, ""
    for character in reading.split("(")[0]:
        depth += (character == "<") - (character == ">")
        kept += character if not depth and character != ">" else ""
    plain = qualified_name(symbol).replace("<...>", "")
    assert kept.replace("[abi:cxx11]", "").endswith(plain)
