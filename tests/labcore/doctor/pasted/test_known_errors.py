"""The table of known errors: well formed, and each entry finds its own sample and no other."""

import inspect
import json
import re

import pytest

from labcore.discovery import env_dir
from labcore.doctor.checks import all_checks
from labcore.doctor.machine import Card, Machine, Toolkit, TorchBuild
from labcore.doctor.pasted import known_errors, known_in, read
from labcore.doctor.pasted.fields import FIELDS, RULES, Fields, fill, names_in
from labcore.doctor.pasted.known import load_known_errors, search
from labcore.doctor.pasted.places import places_of
from labcore.doctor.pasted.text import clean

ERRORS = {error.id: error for error in known_errors()}
REAL = [error for error in known_errors() if not error.wrapper]
NOWHERE = Machine(origin="report")


def entry(**changes: object) -> dict[str, object]:
    row = {
        "id": "a",
        "area": "torch",
        "patterns": ["something broke"],
        "summary": "It broke",
        "cause": "Because",
        "fix": "mend it",
        "sample": "something broke",
    }
    return {**row, **changes}


@pytest.mark.parametrize("error", REAL, ids=lambda error: error.id)
def test_the_sample_of_an_entry_is_recognised_as_it_first(error):
    found = read(error.sample).errors
    assert found[0].check == error.id
    assert found[0].state == error.state


@pytest.mark.parametrize("error", known_errors(), ids=lambda error: error.id)
def test_nothing_but_consequences_is_found_in_a_sample_beside_its_own_error(error):
    text = clean(error.sample)
    places = places_of(text.text, read(error.sample).said)
    others = {match.error.id for match in search(text, places=places)} - {error.id}
    assert all(ERRORS[other].wrapper or error.id in ERRORS[other].after for other in others)


@pytest.mark.parametrize("error", REAL, ids=lambda error: error.id)
def test_a_sample_is_recognised_inside_a_quoted_block_with_wide_spaces(error):
    lines = error.sample.replace(" ", "  ").splitlines()
    quoted = "\n".join(f"> {line}" for line in ["```", *lines, "```"])
    assert error.id in {match.error.id for match in search(clean(quoted))}


@pytest.mark.parametrize("error", REAL, ids=lambda error: error.id)
def test_an_entry_has_something_to_say_whatever_pattern_fits_and_nothing_else_is_known(error):
    for pattern in error.patterns:
        fields = Fields(NOWHERE, dict.fromkeys(pattern.groupindex, "11040"))
        assert fill(error.summary, fields)
        assert fill(error.cause, fields)
        assert error.state == "ok" or fill(error.fix, fields)


@pytest.mark.parametrize("error", known_errors(), ids=lambda error: error.id)
def test_texts_name_only_fields_that_exist(error):
    groups = {name for pattern in error.patterns for name in pattern.groupindex}
    for text in (*error.summary, *error.cause, *error.fix):
        assert names_in(text) <= groups | set(FIELDS)


def test_a_rule_asks_only_for_fields_that_exist():
    groups = {name for each in ERRORS.values() for p in each.patterns for name in p.groupindex}
    for name, rule in RULES.items():
        asked = set(inspect.signature(rule).parameters)
        assert asked <= groups | set(FIELDS) | {"machine", "os"}, name


def test_entries_refer_to_entries_checks_and_sources_that_exist():
    checks = {check.id for check in all_checks()}
    sources = set(json.loads((env_dir() / "compat" / "sources.json").read_text())["sources"])
    for error in known_errors():
        assert error.after <= set(ERRORS), error.id
        assert error.explains <= checks, error.id
        for source in error.sources:
            assert source in sources or re.fullmatch(r"[\w.-]+/[\w.-]+ \d+|PEP \d+", source), source


def test_consequences_do_not_go_in_circles():
    for error in known_errors():
        seen, todo = set(), set(error.after)
        while todo:
            name = todo.pop()
            assert name != error.id
            seen.add(name)
            todo |= ERRORS[name].after - seen


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"area": "moon"}, "no area 'moon'"),
        ({"pattern": "x"}, "unexpected keyword argument .pattern"),
        ({"patterns": ["(unclosed"]}, "entry 'a'"),
        ({"fix": ["always", "never"]}, "hides those after it"),
        ({"sample": None, "summary": 3}, "entry 'a'"),
    ],
)
def test_a_broken_entry_is_named_with_its_file(tmp_path, changes, complaint):
    file = tmp_path / "mine.yaml"
    file.write_text(json.dumps([entry(**changes)]))
    with pytest.raises(ValueError, match=complaint) as raised:
        load_known_errors([file])
    assert str(file) in str(raised.value)


def test_two_entries_with_one_id_are_refused(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(json.dumps([entry(), entry()]))
    with pytest.raises(ValueError, match="same id: a"):
        load_known_errors([file])


def test_a_space_in_a_pattern_stands_for_any_white_space(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(json.dumps([entry(patterns=["no such +thing"])]))
    errors = load_known_errors([file])
    assert search(clean("no  such\n\n   thing"), errors)
    assert not search(clean("nosuch thing"), errors)


SPECIFIC = [
    pytest.param(
        "The NVIDIA driver on your system is too old (found version 11040).",
        Machine(origin="report", os="linux", python="3.10"),
        "whl/cu118",
        id="an old driver gets a torch of its own CUDA family",
    ),
    pytest.param(
        "The NVIDIA driver on your system is too old (found version 12040).",
        Machine(origin="report", os="linux", torch=TorchBuild(version="2.12.1", cuda="13.0")),
        "driver 580 or newer",
        id="the driver that torch's CUDA needs is named",
    ),
    pytest.param(
        "RuntimeError: CUDA error: no kernel image is available for execution on the device",
        Machine(origin="report", os="linux", cards=(Card(name="NVIDIA GeForce GTX 950M"),)),
        "whl/cu126",
        id="an old card gets a build that still has its code",
    ),
    pytest.param(
        "NVIDIA GeForce RTX 5090 with CUDA capability sm_120 is not compatible with the current "
        "PyTorch installation.",
        Machine(origin="report", os="linux"),
        "TORCH_CUDA_ARCH_LIST=12.0",
        id="the capability comes from the message",
    ),
    pytest.param(
        "nvcc fatal   : Unsupported gpu architecture 'compute_89'",
        Machine(origin="report", toolkits=(Toolkit(version="11.3.109", root=""),)),
        "CUDA 11.8 toolkit or newer",
        id="a new card needs a newer toolkit",
    ),
    pytest.param(
        "nvcc fatal   : Unsupported gpu architecture 'compute_50'",
        Machine(origin="report", toolkits=(Toolkit(version="13.0", root=""),)),
        "toolkit up to 12.9",
        id="an old card needs an older toolkit",
    ),
    pytest.param(
        "ImportError: libcudnn.so.8: cannot open shared object file: No such file or directory",
        Machine(origin="report", torch=TorchBuild(version="2.1.0", cuda="12.1")),
        '"nvidia-cudnn-cu12==8.*"',
        id="a missing cuDNN is taken from torch's CUDA family",
    ),
    pytest.param(
        "fatal error: cub/cub.cuh: No such file or directory",
        Machine(origin="report", os="linux", toolkits=(Toolkit(version="10.2", root=""),)),
        "CUB 1.10.0",
        id="CUB for a toolkit that brings none",
    ),
    pytest.param(
        'error: namespace "thrust::cub" has no member "DebugSyncStream"',
        Machine(
            origin="report",
            os="windows",
            toolkits=(Toolkit(version="11.8", root=""),),
            packages={"pytorch3d": "0.7.4"},
        ),
        "WIN32_LEAN_AND_MEAN",
        id="CUDA 11.8 with an old PyTorch3D takes the flag, not another CUB",
    ),
    pytest.param(
        "OSError: CUDA_HOME environment variable is not set.",
        Machine(origin="report", torch=TorchBuild(version="2.4.0", cuda="12.1")),
        "/usr/local/cuda-12.1",
        id="the toolkit of torch's own CUDA",
    ),
    pytest.param(
        "TypeError: Descriptors cannot be created directly.",
        Machine(origin="report", packages={"tensorflow": "2.15.0", "protobuf": "5.26.0"}),
        ">=3.20.3,<5",
        id="the range of protobuf that TensorFlow asks for",
    ),
    pytest.param(
        "/site-packages/pytorch3d/_C.cpython-311-x86_64-linux-gnu.so: undefined symbol: "
        "_ZN3c104cuda29c10_cuda_check_implementationEiPKcS2_jb",
        Machine(
            origin="report",
            os="linux",
            python="3.11",
            torch=TorchBuild(version="2.12.1+cu130", cuda="13.0"),
        ),
        "easypytorch3d",
        id="a wheel of PyTorch3D that fits the torch",
    ),
    pytest.param(
        "AssertionError: Torch not compiled with CUDA enabled",
        Machine(origin="report", os="windows", torch=TorchBuild(version="2.4.1+cpu", cuda="")),
        "torch==2.4.1 --index-url",
        id="the CUDA build of the same torch where nothing is known of the card",
    ),
]


@pytest.mark.parametrize(("text", "machine", "advice"), SPECIFIC)
def test_advice_uses_what_is_known_of_the_machine(text, machine, advice):
    found = known_in(text, machine)
    assert found is not None
    assert advice in found.fix


@pytest.mark.parametrize("version", ["nonsense", "", "7", "2.99.0+weird"])
def test_advice_survives_versions_that_are_none(version):
    machine = Machine(
        origin="report",
        driver=version,
        python=version,
        gcc=version,
        torch=TorchBuild(version=version or "x", cuda=version),
        toolkits=(Toolkit(version=version, root=""),),
        cards=(Card(name=version),),
        packages={"tensorflow": version, "pytorch3d": version},
    )
    for error in REAL:
        found = known_in(error.sample, machine)
        assert error.state == "ok" or (found is not None and found.summary)


def test_a_mangled_symbol_is_shown_readably_with_what_it_gives_away():
    found = known_in(
        "/env/site-packages/pytorch3d/_C.so: undefined symbol: _ZNK2at6Tensor7is_cudaEv", NOWHERE
    )
    assert found is not None
    assert "at::Tensor::is_cuda" in found.summary
    assert "built for 1.9 or older" in found.cause


def test_a_symbol_without_its_file_is_enough():
    text = "I get undefined symbol: _ZN3c105ErrorC1ENS_14SourceLocationERKSs, how to solve it?"
    found = known_in(text, NOWHERE)
    assert found is not None
    assert found.check == "torch-undefined-symbol"
    assert found.summary.endswith("c10::Error::Error is not in this one")


def test_an_abi_mismatch_is_told_by_the_string_in_the_symbol():
    old = "_ZN3c105ErrorC2ENS_14SourceLocationESs"
    new = "_ZN3c106detail14torchCheckFailEPKcS2_jRKNSt7__cxx1112basic_stringIcSaIcEEE"
    for symbol, words in ((old, "old C++ ABI"), (new, "new C++ ABI")):
        found = known_in(f"/env/lib/thing.so: undefined symbol: {symbol}", NOWHERE)
        assert found is not None
        assert words in found.cause
