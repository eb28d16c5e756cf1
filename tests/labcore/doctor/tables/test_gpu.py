"""Cards by their names, and the code that runs on them."""

import pytest

from labcore.doctor.tables import GPUS, find_card, near_cards, runs_kernels, toolkit_makes_code


@pytest.mark.parametrize(
    ("name", "capability"),
    [
        ("RTX 3080", "8.6"),
        ("NVIDIA GeForce RTX 3080", "8.6"),
        ("rtx3080", "8.6"),
        ("3080", "8.6"),
        ("NVIDIA GeForce RTX 3080 Laptop GPU", "8.6"),
        ("GeForce RTX 2080 with Max-Q Design", "7.5"),
        ("gtx 950m", "5.0"),
        ("GeForce GTX 950M", "5.0"),
        ("GeForce GTX 950", "5.2"),
        ("GeForce GTX 1060 6GB", "6.1"),
        ("RTX 2070 SUPER", "7.5"),
        ("Tesla K80", "3.7"),
        ("Tesla V100-SXM2-16GB", "7.0"),
        ("Tesla P100-PCIE-16GB", "6.0"),
        ("T4", "7.5"),
        ("NVIDIA A100-SXM4-40GB", "8.0"),
        ("NVIDIA A100-SXM4-40GB MIG 1g.5gb", "8.0"),
        ("NVIDIA A10G", "8.6"),
        ("RTX A6000", "8.6"),
        ("NVIDIA RTX 6000 Ada Generation", "8.9"),
        ("Quadro RTX 6000", "7.5"),
        ("P2000", "6.1"),
        ("NVIDIA L40S", "8.9"),
        ("NVIDIA H100 80GB HBM3", "9.0"),
        ("GH200 480GB", "9.0"),
        ("NVIDIA B200", "10.0"),
        ("NVIDIA GeForce RTX 5090", "12.0"),
        ("NVIDIA RTX PRO 6000 Blackwell Workstation Edition", "12.0"),
        ("NVIDIA TITAN X (Pascal)", "6.1"),
        ("GeForce GTX TITAN X", "5.2"),
        ("Jetson AGX Orin", "8.7"),
        ("8.6", "8.6"),
        ("sm_90", "9.0"),
    ],
)
def test_a_card_is_found_by_the_names_that_people_and_drivers_use(name, capability):
    found = find_card(name)
    assert found is not None
    assert found[1].compute_capability == capability


@pytest.mark.parametrize("name", ["RTX 4095", "Radeon RX 7900", "", "RTX 6000", "GTX"])
def test_a_card_that_is_unknown_or_not_one_is_not_guessed(name):
    assert find_card(name) is None


def test_near_names_are_offered_for_a_wrong_one():
    assert "GeForce RTX 4090" in near_cards("RTX 4095")
    assert {"Quadro RTX 6000", "RTX 6000 Ada"} & set(near_cards("RTX 6000"))
    assert near_cards("Radeon") == []


def test_an_architecture_tells_its_toolkits():
    ampere = GPUS.row("8.6")
    assert ampere is not None
    assert (ampere.architecture, ampere.cuda_min, ampere.cuda_last) == ("Ampere", "11.1", None)
    assert GPUS.row("5.0").cuda_last == "12.9"
    assert GPUS.row("4.2") is None


@pytest.mark.parametrize(
    ("capability", "archs", "state"),
    [
        ("8.6", ["sm_86"], "yes"),
        ("8.6", ["sm_80"], "yes"),
        ("8.0", ["sm_86"], "no"),
        ("8.9", ["sm_70", "sm_80", "sm_86"], "yes"),
        ("9.0", ["sm_86"], "no"),
        ("9.0", ["sm_80", "compute_80"], "limited"),
        ("7.5", ["sm_70"], "yes"),
        ("7.0", ["sm_75", "compute_75"], "no"),
        ("6.1", ["sm_60"], "yes"),
        ("5.0", ["sm_60", "compute_90"], "no"),
        ("12.0", ["sm_100"], "no"),
        ("12.1", ["sm_120"], "yes"),
        ("10.3", ["sm_100"], "yes"),
        ("9.0", ["sm_90a"], "yes"),
        ("10.3", ["sm_100a"], "no"),
        ("10.3", ["sm_100f"], "yes"),
        ("12.0", ["9.0", "12.0+PTX"], "yes"),
        ("12.1", ["9.0+PTX"], "limited"),
        # A Tegra shares its machine code with nobody.
        ("8.7", ["sm_80", "sm_86"], "no"),
        ("8.9", ["sm_87"], "no"),
        ("8.7", ["sm_87"], "yes"),
        ("8.6", [], "unknown"),
        ("8.6", ["gfx90a"], "unknown"),
        ("Ampere", ["sm_80"], "unknown"),
    ],
)
def test_code_runs_by_the_rules_of_the_programming_guide(capability, archs, state):
    assert runs_kernels(capability, archs).state == state


def test_no_code_is_told_by_the_error_that_people_see():
    verdict = runs_kernels("5.0", ["sm_75", "sm_80"])
    assert "no kernel image is available" in verdict.why
    assert "7.5, 8.0" in verdict.why


@pytest.mark.parametrize(
    ("cuda", "capability", "state"),
    [
        ("11.1", "8.6", "yes"),
        ("11.0", "8.6", "limited"),
        ("10.2", "8.6", "no"),
        ("11.7", "8.9", "limited"),
        ("11.8", "9.0", "yes"),
        ("11.7", "9.0", "no"),
        ("12.9", "5.0", "yes"),
        ("12.9.1", "5.0", "yes"),
        ("13.0", "5.0", "no"),
        ("13.0", "7.5", "yes"),
        ("12.6", "12.0", "no"),
        ("12.0", "8.8", "unknown"),
    ],
)
def test_a_toolkit_makes_code_from_the_first_to_the_last_it_knows(cuda, capability, state):
    assert toolkit_makes_code(cuda, capability).state == state


def test_a_toolkit_that_is_a_little_old_says_what_to_compile_for():
    assert 'TORCH_CUDA_ARCH_LIST="8.0+PTX"' in toolkit_makes_code("11.0", "8.6").fix
