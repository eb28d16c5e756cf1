"""The whole way from NVIDIA's library, a stub here, through its real binding to the findings."""

from dataclasses import replace

import pytest

from labcore.doctor import diagnose
from labcore.doctor.checks import all_checks
from labcore.doctor.gather import gather_here
from labcore.doctor.gather.driver import read_cards
from tests.labcore.doctor.machines import WORKSTATION, words_of

CHECKS = {check.id: check for check in all_checks()}


@pytest.mark.parametrize(
    ("scenario", "check", "state", "says"),
    [
        ("one_24gb", "gpu", "ok", "NVIDIA GeForce RTX 3090, driver 580.65.06"),
        ("three_plain", "gpu", "ok", "3 x NVIDIA GeForce RTX 3090"),
        ("version_mismatch", "nvml-mismatch", "failure", "reboot"),
        ("no_permission", "nvml-load", "failure", "usermod"),
        ("unknown_error", "nvml-load", "failure", "dmesg"),
        ("fallen_off_the_bus", "gpu-lost", "failure", "card 1"),
        ("eight_with_mig", "ecc", "failure", "A100"),
        ("eight_with_mig", "throttle", "warning", "at 88 C"),
        ("eight_with_mig", "compute-mode", "warning", "Prohibited"),
        ("old_driver", "driver-vs-cuda", "failure", "driver 418.87.01 is too old"),
        ("laptop", "driver-vs-cuda", "failure", "driver 470.42.01 is too old"),
        ("laptop", "arch-unsupported", "failure", "NVIDIA GeForce GTX 950M (5.0)"),
    ],
)
def test_what_the_driver_says_becomes_a_finding(driver, scenario, check, state, says) -> None:
    driver(scenario)
    machine = replace(WORKSTATION, **{"driver": None, "driver_trouble": None, **read_cards()})
    findings = diagnose(machine, [CHECKS[check]])
    assert state in {each.state for each in findings}
    assert says in words_of(findings)


def test_a_card_cut_into_slices_is_listed_with_them(driver) -> None:
    driver("eight_with_mig")
    cards = gather_here([read_cards]).cards or ()
    assert sum(card.mig_enabled for card in cards) == 4
    assert {card.mig_profile for card in cards} > {None, "1g.10gb", "3g.40gb"}


def test_a_card_that_tells_little_gives_unknowns_and_no_alarm(driver) -> None:
    driver("laptop")
    [card] = gather_here([read_cards]).cards or ()
    assert (card.compute_mode, card.persistence, card.temperature_c) == (None, None, None)
    machine = replace(WORKSTATION, cards=(card,))
    quiet = [CHECKS[name] for name in ("ecc", "persistence", "throttle", "compute-mode", "mig")]
    assert {each.state for each in diagnose(machine, quiet)} <= {"ok"}
