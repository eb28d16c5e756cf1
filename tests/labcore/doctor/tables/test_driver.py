"""Drivers against CUDA, by the numbers of NVIDIA's release notes."""

import pytest

from labcore.doctor.tables import driver_for, driver_knows_card, driver_runs, newest_cuda


@pytest.mark.parametrize(
    ("driver", "cuda", "os", "state"),
    [
        # The toolkit's own driver, from the release notes.
        ("455.32.00", "11.1", "linux", "yes"),
        ("460.32.03", "11.2.1", "linux", "yes"),
        ("520.61.05", "11.8", "linux", "yes"),
        ("525.60.13", "12.0", "linux", "yes"),
        ("527.41", "12.0", "windows", "yes"),
        ("516.01", "11.7", "windows", "yes"),
        ("580.65.06", "13.0", "linux", "yes"),
        # Minor-version compatibility.
        ("455.45", "11.8", "linux", "limited"),
        ("450.80.02", "11.7", "linux", "limited"),
        ("452.39", "11.7", "windows", "limited"),
        ("525.60.13", "12.9", "linux", "limited"),
        ("460.32.03", "11.2.2", "linux", "yes"),
        # Below the least of the family.
        ("450.51.06", "11.7", "linux", "no"),
        ("525.60.12", "12.4", "linux", "no"),
        ("470.82.01", "12.0", "linux", "no"),
        ("575.57.08", "13.0", "linux", "no"),
        # Before 11 the toolkit's driver is the least.
        ("440.33", "10.2", "linux", "yes"),
        ("418.39", "10.2", "linux", "no"),
        # Newer drivers run all that is older.
        ("580.95.05", "10.1", "linux", "yes"),
        ("595.45.04", "11.0", "linux", "yes"),
    ],
)
def test_a_driver_runs_what_the_release_notes_say(driver, cuda, os, state):
    assert driver_runs(driver, cuda, os).state == state


@pytest.mark.parametrize("cuda", ["11.7", "cu117", "CUDA 11.7"])
def test_cuda_may_be_written_as_people_do(cuda):
    assert driver_runs("515.48.07", cuda).state == "yes"


def test_a_driver_written_short_stands_for_any_update_of_it():
    assert driver_runs("460.32", "11.2.1").state == "yes"
    assert driver_runs("525.60", "12.0").state == "yes"
    assert driver_runs("525", "12.0").state == "yes"
    assert driver_runs("524", "12.0").state == "no"


def test_a_refusal_says_what_is_needed_and_what_would_run():
    verdict = driver_runs("470.82.01", "12.1")
    assert "525.60.13" in verdict.why
    assert "470.82.01" in verdict.why
    assert verdict.fix == "a driver 525.60.13 or newer, or a build for CUDA 11"
    assert "nv-compat" in verdict.sources


def test_before_cuda_11_a_refusal_names_the_release_that_would_run():
    assert driver_runs("418.39", "10.2").fix.endswith("a build for CUDA 10.1 or older")


def test_compatibility_says_what_may_fail():
    verdict = driver_runs("455.45", "11.2")
    assert "450.80.02" in verdict.why
    assert "compiled at start" in verdict.fix


@pytest.mark.parametrize(("driver", "cuda"), [("600", "14.0"), ("590.44.01", "13.9")])
def test_a_release_past_the_table_is_unknown_and_the_end_is_named(driver, cuda):
    verdict = driver_runs(driver, cuda)
    assert verdict.state == "unknown"
    assert "goes from 10.0 to 13.4" in verdict.why


def test_a_release_past_the_table_is_still_refused_below_its_family():
    assert driver_runs("570.26", "13.9").state == "no"


def test_nonsense_is_unknown():
    assert driver_runs("newest", "11.7").state == "unknown"
    assert driver_runs("535.54.03", "rocm").state == "unknown"


def test_macos_has_no_driver():
    assert driver_runs("460.32", "11.2", "macos").state == "no"
    assert driver_for("11.2", "macos") is None


@pytest.mark.parametrize(
    ("driver", "os", "cuda"),
    [
        ("455.45", "linux", "11.1"),
        ("460.32", "linux", "11.2"),
        ("460.32.03", "linux", "11.2"),
        ("535.183.01", "linux", "12.2"),
        ("527.41", "windows", "12.0"),
        ("581.42", "windows", "13.0"),
        ("400.00", "linux", None),
    ],
)
def test_the_newest_cuda_of_a_driver(driver, os, cuda):
    assert newest_cuda(driver, os) == cuda


def test_the_driver_for_a_release_is_the_least_of_its_family():
    assert driver_for("11.8") == "450.80.02"
    assert driver_for("12.4", "windows") == "527.41"
    assert driver_for("10.2") == "440.33"
    assert driver_for("9.0") is None


@pytest.mark.parametrize(
    ("driver", "capability", "state"),
    [
        ("455.45", "8.6", "yes"),
        ("450.80.02", "8.6", "no"),
        ("580.95.05", "5.0", "yes"),
        ("590.44.01", "5.0", "no"),
        ("590.44.01", "7.5", "yes"),
        ("582.10", "6.1", "yes"),
        ("560.35.03", "12.0", "no"),
        ("470.256.02", "3.7", "yes"),
        ("495.29.05", "3.7", "no"),
        ("455.45", "9.9", "unknown"),
    ],
)
def test_a_driver_knows_a_card_from_its_first_cuda_to_its_last_branch(driver, capability, state):
    assert driver_knows_card(driver, capability).state == state
