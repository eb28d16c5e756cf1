"""Short reports with the verdict that each must get, and what must never be said of them."""

import re
import time
from pathlib import Path

import pytest
import yaml

from labcore.doctor.checks import all_checks
from labcore.doctor.finding import ok
from labcore.doctor.pasted import AllClear, conclude, diagnose_report, known_errors, read
from labcore.doctor.pasted.conclusion import NOT_KNOWN
from labcore.doctor.pasted.places import worded_for

HERE = Path(__file__).parent
SAMPLES = [
    row
    for file in sorted((HERE / "samples").glob("*.yaml"))
    for row in yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
]
REPORTS = {file.stem: file.read_text(encoding="utf-8") for file in HERE.glob("reports/*.txt")}
TEXTS = {**{row["name"]: row["text"] for row in SAMPLES}, **REPORTS}
HEALTHY_BLOCK = next(row["text"] for row in SAMPLES if row["name"] == "healthy_block")


def judged(text: str):
    report = read(text)
    findings = diagnose_report(report, all_checks())
    bad = [each for each in findings if each.state in {"failure", "warning"}]
    return conclude(report, findings), bad


@pytest.mark.parametrize("row", SAMPLES, ids=lambda row: row["name"])
def test_a_report_gets_its_verdict_and_a_fix_for_its_system(row):
    conclusion, bad = judged(row["text"])
    assert [each.check for each in bad] == row["found"]
    if not bad:
        assert conclusion.exit_code == (0 if row.get("clear") else NOT_KNOWN)
    for word in row.get("fix", ()):
        assert word in bad[0].fix
    for word in row.get("never", ()):
        assert word not in bad[0].fix


@pytest.mark.parametrize("name", TEXTS)
def test_an_error_in_no_known_words_never_ends_in_an_all_clear(name):
    """Every known line is taken out, and a healthy block with its compared versions put before."""
    text = TEXTS[name]
    kept = [
        line
        for line in text.splitlines()
        if not any(p.search(line) for error in known_errors() for p in error.patterns)
    ]
    conclusion, _ = judged("\n".join([HEALTHY_BLOCK, *kept, "zlib: fatal: the thing failed"]))
    assert conclusion.all_clear is None
    assert conclusion.exit_code != 0 or "warning" in conclusion.headline


@pytest.mark.parametrize(
    "line",
    [
        "LLVM ERROR: Cannot select: intrinsic",
        "requirement error: unsatisfied condition: brand=tesla",
        "Error 731: something new",
        "x.cpp(3): fatal error C1234: odd",
        "Segmentation fault",
        "training hangs after an hour",
        "it is stuck at the first batch",
        "the whole machine freezes",
        "undefined symbol: frobnicate",
        "libfoo.so.3: cannot open shared object file",
        "CUDA_ERROR_SOMETHING_NEW",
        "cuDNN status CUDNN_STATUS_NEW",
        "Killed",
        "Aborted (core dumped)",
        "Could not load dynamic library 'libnew.so.1'",
        "GPU will not be used",
        "torch.cuda.is_available() is False",
        "the loss becomes nan",
        "it does not work",
        "much slower than before",
        "torch works without problems and the extension crashes",
        "no errors are printed, it just hangs",
    ],
)
def test_a_complaint_under_a_healthy_block_is_not_known_rather_than_well(line):
    assert judged(HEALTHY_BLOCK)[0].all_clear is not None
    conclusion, bad = judged(f"{HEALTHY_BLOCK}\n{line}\n")
    assert conclusion.all_clear is None
    assert bad or conclusion.exit_code == NOT_KNOWN


def test_an_all_clear_cannot_be_made_without_a_pair_or_over_an_unread_line():
    pair = ok("torch 2.3.1 goes with driver 535")
    assert "1 pair of versions" in str(AllClear((pair,), ()))
    with pytest.raises(ValueError, match="compared"):
        AllClear((), ())
    with pytest.raises(ValueError, match="unread"):
        AllClear((pair,), ("LLVM ERROR: x",))


def test_one_line_gives_one_failure():
    text = "RuntimeError: cuDNN error: CUDNN_STATUS_BAD, CUDA error: invalid device ordinal"
    assert len(judged(text)[1]) == 1


@pytest.mark.parametrize("error", known_errors(), ids=lambda error: error.id)
def test_a_fix_on_windows_has_no_command_of_a_unix_shell(error):
    for fix in error.fix:
        if error.only or re.match(r"\{on_(?!windows)", fix):
            continue
        worded = worded_for(fix, frozenset({"windows"}))
        assert not re.search(r"\bexport [A-Z]|\bunset [A-Z]", worded)


def test_a_fix_is_worded_for_the_shell_of_its_system():
    windows = frozenset({"windows"})
    assert worded_for("export A_BC=1 D_EF=2; sudo apt install x", windows) == (
        "set A_BC=1 && set D_EF=2"
    )
    assert worded_for("MAX_JOBS=2 pip install x", windows) == "set MAX_JOBS=2 && pip install x"
    assert worded_for("unset CUB_HOME", windows) == "set CUB_HOME="
    assert worded_for("export A_BC=1", frozenset({"linux"})) == "export A_BC=1"


@pytest.mark.parametrize("error", known_errors(), ids=lambda error: error.id)
def test_no_expression_crawls_through_a_hostile_text(error):
    """Its own sample, cut short of the match again and again, is what makes one go back most."""
    words = error.sample.split()
    hostile = (" ".join(words[: max(1, len(words) * 2 // 3)]) + "\n") * (
        100_000 // (len(error.sample) * 2 // 3 + 1)
    )
    start = time.process_time()
    for pattern in error.patterns:
        pattern.search(hostile)
    assert time.process_time() - start < 1.0


def test_a_megabyte_is_read_in_less_than_a_second_or_so():
    lines = [
        "[2025-03-01 10:00:05] epoch 1 step 100 loss 0.8412 lr 1e-03 mem 21.3 GiB",
        '  File "/opt/venv/lib/python3.10/site-packages/torch/nn/modules/module.py", line 1553',
        "copying build/lib.linux-x86_64/pytorch3d/renderer/mesh/shader.py -> pkg",
    ]
    text = "\n".join(lines * 5000) + "\nRuntimeError: CUDA error: device-side assert triggered"
    assert len(text) > 1_000_000
    start = time.process_time()
    assert [each.check for each in read(text).errors] == ["device-assert"]
    assert time.process_time() - start < 3.0
