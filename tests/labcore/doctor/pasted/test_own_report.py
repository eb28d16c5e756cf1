"""A report of lab doctor read by another one."""

import pytest

from labcore.doctor.check import diagnose
from labcore.doctor.checks import all_checks
from labcore.doctor.machine import Card, Machine, TorchBuild
from labcore.doctor.pasted import diagnose_report, read
from labcore.doctor.share import to_report

BROKEN = Machine(
    origin="here",
    os="linux",
    python="3.11.7",
    packages={"torch": "2.12.1"},
    torch=TorchBuild(version="2.12.1", cuda="13.0", archs=("sm_75", "sm_80", "sm_86")),
    driver="535.183.01",
    cards=(Card(name="NVIDIA GeForce RTX 3090", compute_capability="8.6"),),
)


def problems(findings):
    return {each.check for each in findings if each.state in {"failure", "warning"}}


def test_it_gives_the_same_problems_on_another_machine():
    here = diagnose(BROKEN, all_checks())
    report = read(to_report(BROKEN, here))
    assert report.kind == "lab report"
    assert report.machine.driver == "535.183.01"
    assert report.errors == ()
    assert "driver-vs-cuda" in problems(here)
    assert problems(diagnose_report(report, all_checks())) == problems(here)


def test_an_error_pasted_below_it_is_found_with_the_machines_own_versions():
    text = to_report(BROKEN, diagnose(BROKEN, all_checks()))
    report = read(
        text + "\nRuntimeError: CUDA driver version is insufficient for CUDA runtime version\n"
    )
    (error,) = report.errors
    assert error.check == "driver-insufficient"
    assert "535.183.01" in error.summary
    assert error.evidence["line"] == len(text.splitlines()) + 2


def test_a_report_quoted_in_an_issue_is_read():
    text = to_report(BROKEN, [])
    report = read("".join(f"> {line}\n" for line in text.splitlines()))
    assert report.kind == "lab report"
    assert report.machine.torch == BROKEN.torch


@pytest.mark.parametrize("edited", ['"machine": {{', '"machine": 3, "was": {'])
def test_a_report_whose_facts_were_edited_into_nonsense_is_an_ordinary_text(edited):
    text = to_report(BROKEN, []).replace('"machine": {', edited)
    assert read(text).kind == "log"
