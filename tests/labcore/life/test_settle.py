"""What a person reads when a task raises."""

import errno
from pathlib import Path

import pytest

from labcore.doctor.pasted import explain_raised
from labcore.errors import RequirementError, RunFailed, UsageError
from labcore.life.settle import explain

FOLDER = Path("runs/toy/1")


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    try:
        raise error from cause
    except BaseException as caught:
        return caught


def test_the_labs_own_errors_stay_as_they_are():
    error = UsageError("no")
    assert explain(error, FOLDER, explain_raised) is error


def test_a_compiled_part_that_does_not_fit_is_a_requirement_with_the_doctors_fix():
    symbol = "/x/pytorch3d/_C.cpython-311-x86_64-linux-gnu.so: undefined symbol: _ZN3c104cuda9Sete"
    told = explain(raised(ImportError(symbol)), FOLDER, explain_raised)
    assert isinstance(told, RequirementError)
    assert told.exit_code == 3
    assert "PyTorch3D was compiled for another PyTorch" in told.message
    assert symbol in told.message
    assert "lab env plan pytorch3d" in told.fix
    assert "runs/toy/1/traceback.txt" in told.fix


def test_the_error_behind_the_error_is_the_one_that_is_explained():
    cause = ImportError("libc10_cuda.so: cannot open shared object file: No such file or directory")
    told = explain(raised(ImportError("this package is broken"), cause), FOLDER, explain_raised)
    assert "libc10_cuda.so is not found" in told.message
    assert "install the CUDA build of PyTorch" in told.fix


def test_an_error_of_a_library_that_the_doctor_knows_fails_the_run_with_its_fix():
    told = explain(
        raised(RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")),
        FOLDER,
        explain_raised,
    )
    assert type(told) is RunFailed
    assert "memory is full" in told.message
    assert "smaller batch" in told.fix


@pytest.mark.parametrize(
    "error", [ValueError("odd"), RuntimeError("odd"), ImportError("odd"), FileNotFoundError("odd")]
)
def test_an_error_that_nobody_knows_points_to_the_traceback(error):
    told = explain(raised(error), FOLDER, explain_raised)
    assert told.message == f"{type(error).__name__}: odd"
    assert told.fix == "the traceback is in runs/toy/1/traceback.txt"
    assert told.exit_code == 1


def test_a_task_that_ends_its_process_has_failed_and_the_place_is_told():
    told = explain(raised(SystemExit(3)), FOLDER)
    assert told.message == "the task ended its process: sys.exit(3)"
    assert told.exit_code == 1
    assert "traceback.txt" in told.fix


def test_a_full_disk_and_a_folder_that_cannot_be_written_are_said_in_words():
    full = explain(raised(OSError(errno.ENOSPC, "No space left", "a.pt")), FOLDER, explain_raised)
    assert full.message == "the disk is full: a.pt could not be written"
    assert full.fix == "free some space, then go on where it stopped: lab resume toy/1"
    denied = explain(
        raised(PermissionError(errno.EACCES, "Permission denied", "a.pt")), FOLDER, explain_raised
    )
    assert denied.message == "a.pt cannot be written: Permission denied"
