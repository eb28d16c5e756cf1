"""``lab doctor --from FILE``."""

import json
from pathlib import Path

import pytest

from labcore.cli.machine.diagnose import print_diagnosis
from labcore.errors import UsageError

REPORTS = Path(__file__).parents[2] / "doctor" / "pasted" / "reports"


def test_the_root_cause_comes_first_with_its_line_cause_and_fix(capsys):
    assert print_diagnosis(str(REPORTS / "p3d_windows_117.txt"), False, False) == 3
    page = capsys.readouterr().out
    assert page.startswith("A log or error text: 1 failure\n")
    assert "dispatch_segmented_sort.cuh(338)" in page
    assert "CUB 1.17.2" in page
    assert "[cub-segmented-sort]" in page


def test_versions_that_do_not_go_together_come_after_the_errors(capsys):
    assert print_diagnosis(str(REPORTS / "env_2_11_driver_470.txt"), False, False) == 3
    page = capsys.readouterr().out
    assert "It tells of Ubuntu 20.04.6 LTS, Python 3.10.13" in page
    assert page.index("What the versions say") < page.index("[driver-vs-cuda]")


def test_a_healthy_block_is_no_problem(capsys):
    assert print_diagnosis(str(REPORTS / "env_1_7_conda_healthy.txt"), False, False) == 0
    page = capsys.readouterr().out
    assert "no problem found" in page
    assert "go together" in page


def test_consequences_are_shown_and_all_of_them_with_v(capsys, tmp_path):
    log = tmp_path / "log.txt"
    log.write_text(
        "ERROR: Unexpected bus error encountered in worker. This might be caused by insufficient"
        " shared memory (shm).\n"
        "RuntimeError: DataLoader worker (pid 7) is killed by signal: Killed.\n"
        "RuntimeError: DataLoader worker (pid(s) 7) exited unexpectedly\n"
    )
    print_diagnosis(str(log), False, False)
    page = capsys.readouterr().out
    assert page.count("then: ") == 2
    print_diagnosis(str(log), False, True)
    assert "line 2: RuntimeError: DataLoader worker (pid 7)" in capsys.readouterr().out


def test_everything_is_shown_with_v(capsys):
    print_diagnosis(str(REPORTS / "env_wsl_healthy.txt"), False, True)
    assert "What the versions say" in capsys.readouterr().out


def test_an_unknown_error_is_no_failure_of_the_machine_and_no_all_clear(capsys):
    assert print_diagnosis(str(REPORTS / "unknown_keyerror.txt"), False, False) == 1
    page = capsys.readouterr().out
    assert "an error that the doctor does not know" in page
    assert "KeyError: 'cuda'" in page


def test_json_holds_areas_evidence_and_the_machine(capsys):
    assert print_diagnosis(str(REPORTS / "p3d_undefined_symbol.txt"), True, False) == 3
    answer = json.loads(capsys.readouterr().out)
    assert (answer["schema"], answer["exit_code"], answer["kind"]) == ("lab-diagnosis/1", 3, "log")
    first = answer["findings"][0]
    assert (first["id"], first["area"], first["state"]) == (
        "pytorch3d-undefined-symbol",
        "pytorch3d",
        "failure",
    )
    assert first["evidence"]["line"] == 12
    assert answer["machine"]["torch"]["cuda"] == "11.7"


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(UsageError, match=r"nowhere\.txt cannot be read"):
        print_diagnosis("nowhere.txt", False, False)


def test_a_file_that_powershell_wrote_is_read(capsys, tmp_path):
    log = tmp_path / "log.txt"
    log.write_text("AssertionError: Torch not compiled with CUDA enabled\n", encoding="utf-16")
    assert print_diagnosis(str(log), False, False) == 3
    assert "[torch-cpu-only]" in capsys.readouterr().out


def test_a_file_that_is_too_large_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr("labcore.cli.machine.diagnose._LARGEST", 10)
    log = tmp_path / "log.txt"
    log.write_text("x" * 11)
    with pytest.raises(UsageError, match="is larger than"):
        print_diagnosis(str(log), False, False)


def test_standard_input_is_read(capsys, monkeypatch):
    import io
    import sys

    stream = io.TextIOWrapper(io.BytesIO(b"RuntimeError: received 0 items of ancdata\n"))
    monkeypatch.setattr(sys, "stdin", stream)
    assert print_diagnosis("-", False, False) == 3
    assert "[too-many-files]" in capsys.readouterr().out
