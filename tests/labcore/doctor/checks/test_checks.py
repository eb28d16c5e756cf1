"""What each check says of a machine where the thing is right, wrong, or not known."""

import dataclasses
import re
from dataclasses import replace

import pytest

from labcore.doctor import AREAS, Machine, diagnose
from labcore.doctor.checks import all_checks
from labcore.doctor.tables import sources
from tests.labcore.doctor import (
    cases_build,
    cases_gpu,
    cases_python,
    cases_system,
    cases_tensorflow,
    cases_torch,
)
from tests.labcore.doctor.machines import LAPTOP, WITH_TENSORFLOW, WORKSTATION, words_of, worst

CHECKS = {check.id: check for check in all_checks()}
STATIC = [check for check in all_checks() if not check.deep]
CASES = [
    case
    for module in (
        cases_system,
        cases_gpu,
        cases_python,
        cases_torch,
        cases_tensorflow,
        cases_build,
    )
    for case in module.CASES
]
ALWAYS_FINE = {
    # They name what is there, explain, or tell what is different without an optional thing.
    "system", "build", "smi-cuda-misread", "driver-minor", "ninja", "tools", "ffmpeg",
    "fluidsynth", "chromium", "tensorflow", "pytorch3d", "gpu",
}  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_check_says_what_is_the_case(case) -> None:
    findings = diagnose(case.look(), [CHECKS[case.check]])
    assert worst(findings) == case.state, findings
    for words in case.says:
        assert words in words_of(findings)


def test_every_check_is_seen_to_pass_and_to_complain() -> None:
    passes = {case.check for case in CASES if case.state == "ok"}
    complains = {case.check for case in CASES if case.state in {"warning", "failure"}}
    quiet_when_fine = {
        "driver-present", "nvml-container-lost", "compute-mode", "cvd-late", "debug-switches",
        "ld-preload", "arch-dropped-pip-default", "nvml-fooled",
    }  # fmt: skip
    ids = {check.id for check in STATIC}
    assert ids - passes <= quiet_when_fine
    assert ids - complains == ALWAYS_FINE


def test_documents_that_are_named_by_id_are_in_the_list_of_sources() -> None:
    named = {
        source
        for case in CASES
        for finding in diagnose(case.look(), [CHECKS[case.check]])
        for source in finding.sources
        if " " not in source  # "pytorch 31285" is an issue
    }
    assert named
    assert named <= set(sources())


@pytest.mark.parametrize(
    "machine",
    [WORKSTATION, LAPTOP, replace(WORKSTATION, **WITH_TENSORFLOW)],
    ids=["workstation", "laptop", "tensorflow"],
)
def test_a_healthy_machine_gets_neither_warnings_nor_unknowns(machine) -> None:
    noise = [each for each in diagnose(machine, STATIC) if each.state != "ok"]
    assert noise == []


def test_a_laptop_without_a_gpu_is_told_that_all_runs_on_the_cpu() -> None:
    assert "everything runs on the CPU" in words_of(diagnose(LAPTOP, [CHECKS["gpu"]]))


@pytest.mark.parametrize("origin", ["here", "report"])
def test_nothing_is_claimed_of_a_machine_of_which_nothing_is_known(origin) -> None:
    findings = diagnose(Machine(origin=origin), STATIC)
    assert {each.state for each in findings} <= {"ok", "unknown"}
    assert not [each for each in findings if "itself failed" in each.summary]


@pytest.mark.parametrize(
    ("check", "need"), [(check.id, need) for check in STATIC for need in check.needs]
)
def test_a_check_whose_fact_is_missing_says_that_it_is_not_known(check, need) -> None:
    [finding] = diagnose(replace(WORKSTATION, **{need: None}), [CHECKS[check]])
    assert finding.state == "unknown"
    assert need.replace("_", " ") in finding.summary


def test_needs_are_facts_of_a_machine() -> None:
    known = {field.name for field in dataclasses.fields(Machine)}
    assert {need for check in all_checks() for need in check.needs} <= known


def test_ids_are_unique_lower_case_words_and_there_are_many() -> None:
    ids = [check.id for check in all_checks()]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", each) for each in ids)
    assert len(STATIC) >= 45


def test_ids_never_change() -> None:
    # Scripts type them after --only; a check may be added, none may be renamed.
    stable = {
        "py-range", "glibc", "driver-present", "nvml-load", "nvml-mismatch",
        "nvml-container-lost", "driver-vs-cuda", "driver-minor", "cuda-compat-misuse",
        "smi-cuda-misread", "arch-unsupported", "arch-dropped-pip-default", "tf-arch",
        "torch-cpu-build", "cvd-bad", "cvd-late", "order", "nvjitlink", "ldpath-cudnn",
        "cudnn-missing", "libdevice", "pip-file-clobber", "two-cuda-majors", "tf-grabs-memory",
        "protobuf", "numpy-abi", "keras-line", "p3d-abi", "p3d-needed", "import-order",
        "p3d-cuda-missing", "nvcc-mismatch", "cuda-home", "host-compiler", "cub-check",
        "cub-small-macro", "cub-missing", "build-jobs", "shm", "wsl", "mig", "compute-mode",
        "renderer-gl", "nvml-fooled", "ecc", "persistence", "throttle", "container-gpu",
        "wandb-login", "disk", "bytecode", "threads", "cache-dirs", "git",
    }  # fmt: skip
    assert stable <= set(CHECKS)


def test_checks_come_area_by_area_and_the_one_that_names_the_thing_first() -> None:
    areas = [check.area for check in all_checks()]
    assert areas == sorted(areas, key=list(AREAS).index)
    for area in set(areas):
        first = next(check.id for check in all_checks() if check.area == area)
        assert first == area
