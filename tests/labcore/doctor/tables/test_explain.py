"""Sets of versions judged together: the set-ups that people really had, and what goes instead."""

import pytest

from labcore.doctor.tables import Explanation, Setup, explain, least_change
from labcore.errors import UsageError


def asked(*words: str) -> Explanation:
    return explain(Setup.parse(words))


def state(answer: Explanation, *words: str) -> str:
    """The verdict on the one pair whose title has all the words."""
    found = [line for line in answer.lines if all(word in line.title for word in words)]
    assert len(found) == 1, [line.title for line in answer.lines]
    return found[0].verdict.state


def line(answer: Explanation, word: str):
    return next(each for each in answer.lines if word in each.title)


# Reading the words.


def test_words_are_read_as_people_write_them():
    setup = Setup.parse(
        ["pytorch=v2.0.1+cu118", "tf=2.4.1", 'gpu="RTX 3080"', "OS=win", "cub=11.7"]
    )
    assert (setup.torch, setup.torch_cuda) == ("2.0.1", "11.8")
    assert (setup.tensorflow, setup.gpu, setup.os) == ("2.4.1", "RTX 3080", "windows")
    assert setup.cub == "1.17.0"
    assert setup.capability == "8.6"
    assert 'gpu="RTX 3080"' in setup.words()


def test_a_set_is_typed_again_from_its_words():
    setup = Setup.parse(["torch=2.0.1+cpu", "gpu=RTX 3080", "python=3.10", "cuda=cu117"])
    assert setup.torch_cuda == "cpu"
    assert Setup.parse(setup.words()) == setup


def test_every_wrong_word_is_told_with_the_nearest_right_one():
    with pytest.raises(UsageError) as caught:
        Setup.parse(["torhc=2.0", "cuda", "os=beos", "driver=newest", "cuda=rocm", "torch="])
    problems = "\n".join(caught.value.problems)
    assert "there is no 'torhc'; did you mean torch?" in problems
    assert "'cuda' is not name=value" in problems
    assert "linux, windows, macos" in problems
    assert "'newest' is no version" in problems
    assert "names no CUDA version" in problems
    assert len(caught.value.problems) == 6
    assert "lab doctor --explain" in str(caught.value.fix)


def test_nothing_and_the_same_twice_are_mistakes():
    with pytest.raises(UsageError, match="nothing is given"):
        Setup.parse([])
    with pytest.raises(UsageError, match="torch is given twice"):
        Setup.parse(["torch=2.0", "pytorch=2.1"])


# The set-ups of the notes that this project started from.


def test_torch_2_0_1_with_cuda_11_7_and_pytorch3d_goes_on_linux():
    answer = asked("torch=2.0.1", "cuda=11.7", "gpu=RTX 3080", "pytorch3d=0.7.4")
    assert answer.works is True
    assert {each.verdict.state for each in answer.lines} == {"yes"}
    assert "CUB_HOME unset" in line(answer, "CUB").verdict.why
    assert answer.commands[0] == "pip install torch==2.0.1"
    assert answer.commands[-1].endswith('pytorch3d.git@v0.7.4"')


def test_on_windows_the_same_set_needs_another_cub_and_no_edited_header():
    answer = asked("torch=2.0.1", "cuda=11.7", "pytorch3d=0.7.4", "os=windows")
    assert answer.works is True
    cub = line(answer, "CUB").verdict
    assert cub.state == "limited"
    assert '"small"' in cub.why
    assert "no header of the toolkit has to be edited" in cub.why
    assert "CUB 1.17.2" in cub.fix
    assert '$env:CUB_HOME = "$PWD\\cub-1.17.2"' in answer.commands
    assert any("whl/cu117" in command for command in answer.commands)


def test_the_cub_of_the_notes_is_right_for_cuda_11_7_and_wrong_for_11_8():
    good = asked("torch=2.0.1", "cuda=11.7", "pytorch3d=0.7.4", "os=windows", "cub=11.7")
    assert state(good, "CUB") == "yes"
    bad = asked("torch=2.0.1", "cuda=11.8", "pytorch3d=0.7.4", "os=windows", "cub=11.7")
    assert state(bad, "CUB") == "no"
    assert "DebugSyncStream" in line(bad, "CUB").verdict.why
    ways = [each.changes for each in bad.alternatives]
    assert ("no CUB_HOME",) in ways
    assert ("CUDA 11.8 -> 11.7",) in ways
    assert ("PyTorch3D 0.7.4 -> 0.7.5",) in ways


def test_the_version_of_torch_does_matter():
    answer = asked("torch=2.1.0", "cuda=11.8", "pytorch3d=0.7.4")
    assert answer.works is False
    assert "C++17" in line(answer, "PyTorch3D 0.7.4 + torch").verdict.why


@pytest.mark.parametrize(
    ("driver", "cuda", "expected"),
    [("455.45", "11.1", "yes"), ("460.32", "11.2", "yes"), ("455.45", "11.2", "limited")],
)
def test_the_drivers_of_the_notes_run_what_they_say(driver, cuda, expected):
    assert state(asked(f"driver={driver}", f"cuda={cuda}"), "driver") == expected


def test_a_driver_of_11_1_runs_later_torch_builds_of_the_11_family_too():
    answer = asked("driver=455.45", "torch=2.0.1", "cuda=11.7", "gpu=RTX 3080")
    assert answer.works is True
    assert state(answer, "driver 455.45 + torch for CUDA 11.7") == "limited"


def test_rtx_3080_does_not_run_tensorflow_2_1():
    answer = asked("tensorflow=2.1", "gpu=RTX 3080", "cuda=10.1", "driver=455.45")
    assert answer.works is False
    assert state(answer, "TensorFlow 2.1 + CUDA 10.1") == "yes"
    assert state(answer, "TensorFlow 2.1 + GeForce RTX 3080") == "no"
    nearest = answer.alternatives[0]
    assert nearest.changes == ("CUDA 10.1 -> 11.0", "TensorFlow 2.1 -> 2.4.4")
    assert "CUDA 11.0 and cuDNN 8.0" in nearest.commands[0]


def test_rtx_3080_runs_tensorflow_2_4_1_though_cuda_11_0_has_no_8_6():
    answer = asked("tensorflow=2.4.1", "gpu=RTX 3080", "cuda=11.0", "cudnn=8.0", "driver=460.32")
    assert answer.works is True
    verdict = line(answer, "TensorFlow 2.4.1 + GeForce").verdict
    assert "code for 8.0, which runs on 8.6" in verdict.why


def test_tensorflow_2_4_1_with_the_cuda_of_the_notes_works_with_warnings():
    answer = asked("tensorflow=2.4.1", "gpu=RTX 3080", "cuda=11.2", "driver=460.32")
    assert answer.works is True
    verdict = line(answer, "CUDA 11.2").verdict
    assert verdict.state == "limited"
    assert "warned of at start" in verdict.why


def test_gtx_950m_takes_the_build_for_cuda_12_6():
    answer = asked("gpu=GTX 950M", "torch=2.12.1")
    assert answer.works is True
    built = line(answer, "torch 2.12.1 + CUDA 12.6").verdict
    assert built.state == "limited"
    assert "does not suit" in built.why
    assert answer.commands == (
        "pip install torch==2.12.1 --index-url https://download.pytorch.org/whl/cu126",
    )
    refused = asked("gpu=GTX 950M", "torch=2.12.1", "cuda=13.0")
    assert refused.works is False
    assert refused.alternatives[0].changes == ("CUDA 13.0 -> 12.6",)


# Other sets.


@pytest.mark.parametrize(
    ("words", "works"),
    [
        (("torch=2.16",), None),
        (("gpu=RTX 9090", "torch=2.12.1"), None),
        (("torch=2.12.1", "tensorflow=2.21", "python=3.11"), True),
        (("torch=2.12.1", "tensorflow=2.4.1"), False),
        (("tensorflow=2.15", "gpu=RTX 3080", "os=windows"), False),
        (("torch=2.12.1", "cuda=13.0", "os=macos"), False),
        (("torch=2.12.1", "os=macos"), True),
        (("torch=2.12.1+cpu", "pytorch3d=0.7.9"), True),
        (("gpu=RTX 3080", "cuda=10.2"), False),
        (("python=3.11",), None),
    ],
)
def test_a_set_goes_does_not_or_is_not_known(words, works):
    assert asked(*words).works is works


def test_an_unknown_card_is_answered_with_near_ones():
    verdict = line(asked("gpu=RTX 4095", "torch=2.4"), "GPU").verdict
    assert verdict.state == "unknown"
    assert "GeForce RTX 4090" in verdict.why
    assert "gpu=8.6" in verdict.fix


def test_a_toolkit_of_another_family_than_the_torch_build_is_refused():
    answer = asked("torch=2.4.1+cu118", "cuda=12.4", "pytorch3d=0.7.8")
    assert state(answer, "toolkit CUDA 12.4") == "no"
    minor = asked("torch=2.4.1+cu121", "cuda=12.4", "pytorch3d=0.7.8")
    assert state(minor, "toolkit CUDA 12.4") == "limited"


def test_a_wheel_leaves_toolkit_and_cub_out_of_it():
    answer = asked("torch=2.12.1", "cuda=13.0", "pytorch3d=0.7.9", "gpu=RTX 4090")
    assert answer.works is True
    assert not [each for each in answer.lines if "CUB" in each.title or "toolkit" in each.title]
    assert answer.commands[-1] == "pip install easypytorch3d==0.7.9.post1"


def test_tensorflow_beside_torch_takes_the_extra_only_where_they_share_cuda():
    shared = asked("torch=2.10.0", "tensorflow=2.20.0")
    assert 'pip install "tensorflow[and-cuda]==2.20.0"' in shared.commands
    apart = asked("torch=2.12.1", "tensorflow=2.21.0")
    assert 'pip install "tensorflow==2.21.0"' in apart.commands
    alone = asked("tensorflow=2.21", "gpu=RTX 3080")
    assert 'pip install "tensorflow[and-cuda]==2.21.0"' in alone.commands


def test_a_python_that_was_named_makes_the_environment():
    assert asked("torch=2.0.1", "python=3.10").commands[0] == "python3.10 -m venv .venv"
    windows = asked("torch=2.0.1", "python=3.10", "os=windows").commands
    assert windows[0] == "py -3.10 -m venv .venv"


# What goes instead.


IMPOSSIBLE = [
    ("torch=2.0.1", "cuda=12.4", "pytorch3d=0.7.4"),
    ("torch=2.12.1", "tensorflow=2.4.1", "python=3.11"),
    ("tensorflow=2.1", "gpu=RTX 3080", "driver=455.45", "os=windows"),
    ("gpu=GTX 950M", "driver=595.45.04", "torch=2.12.1", "cuda=13.0"),
    ("torch=2.1.0", "cuda=12.1", "pytorch3d=0.7.4", "gpu=RTX 4090", "python=3.12"),
    ("torch=2.12.1", "driver=470.82.01", "cuda=13.0"),
    ("tensorflow=2.21", "gpu=GTX 950M", "python=3.11"),
    ("gpu=RTX 3080", "cuda=10.2"),
]


@pytest.mark.parametrize("words", IMPOSSIBLE, ids=" ".join)
def test_every_alternative_works_and_keeps_the_card_and_the_system(words):
    answer = asked(*words)
    assert answer.works is False
    assert answer.commands == ()
    assert answer.alternatives
    for each in answer.alternatives:
        assert explain(each.setup).works is True, each.changes
        assert (each.setup.gpu, each.setup.os) == (answer.setup.gpu, answer.setup.os)
        assert each.changes
        named = {"torch", "tensorflow", "pytorch3d"} & {word.split("=")[0] for word in words}
        for package in named:
            assert any(package in command for command in each.commands), package


@pytest.mark.parametrize("words", IMPOSSIBLE, ids=" ".join)
def test_no_alternative_changes_more_things_than_another_that_is_part_of_it(words):
    changed = [
        {change.rsplit(" ", 3)[0] for change in each.changes} for each in asked(*words).alternatives
    ]
    for first in changed:
        assert not any(other < first for other in changed)


def test_the_driver_is_changed_when_nothing_else_has_to_be():
    answer = asked("torch=2.12.1", "driver=470.82.01", "cuda=13.0")
    assert ("driver 470.82.01 -> 580",) in [each.changes for each in answer.alternatives]


def test_an_alternative_says_what_has_to_be_minded():
    answer = asked("tensorflow=2.1", "gpu=RTX 3080", "driver=455.45")
    later = next(each for each in answer.alternatives if "2.14" in each.changes[0])
    assert any("driver 455.45" in care for care in later.cares)


def test_a_card_that_nothing_runs_on_has_no_alternative():
    assert asked("tensorflow=2.21", "gpu=RTX 5090").alternatives == ()


def test_the_least_change_is_the_nearest_release_and_not_the_newest():
    words = ["torch=2.6.0+cu124", "gpu=RTX 5090", "driver=570.133", "python=3.10", "os=linux"]
    near = least_change(Setup.parse(words))
    assert near is not None
    assert (near.setup.torch, near.setup.torch_cuda) == ("2.7.1", "12.8")


def test_the_least_change_leaves_what_it_is_told_to_keep():
    setup = Setup.parse(["torch=2.12.1+cu130", "driver=535.104.05", "os=linux"])
    free, kept = least_change(setup), least_change(setup, keep=("driver",))
    assert free is not None
    assert kept is not None
    assert free.setup.driver != setup.driver
    assert (kept.setup.driver, kept.setup.torch_cuda) == (setup.driver, "12.6")
    assert least_change(Setup.parse(["gpu=RTX 3080"])) is None


@pytest.mark.parametrize("gpu", ["M1", "Apple M2 Max", "m4 pro"])
def test_an_apple_gpu_is_told_of_metal_and_is_no_tesla(gpu):
    setup = Setup.parse([f"gpu={gpu}", "torch=2.6.0"])
    answer = explain(setup)
    assert answer.setup.system == "macos"
    assert answer.works
    assert "mps" in answer.lines[0].verdict.why
    assert answer.commands == ("pip install torch==2.6.0",)


@pytest.mark.parametrize("gpu", ["RX 7900 XTX", "Radeon Pro VII", "MI300X", "AMD Instinct MI250"])
def test_an_amd_card_is_told_of_rocm_and_not_asked_for_a_capability(gpu):
    answer = explain(Setup.parse([f"gpu={gpu}", "torch=2.6.0", "os=linux"]))
    assert answer.works is None
    [line] = answer.lines
    assert "ROCm" in line.verdict.fix
    assert "8.6" not in line.verdict.fix
    assert explain(Setup.parse([f"gpu={gpu}", "cuda=12.4"])).works is False


@pytest.mark.parametrize(
    ("words", "title", "state"),
    [
        (["numpy=2.1.0", "torch=2.1.0"], "numpy 2.1.0 + torch 2.1.0", "limited"),
        (["numpy=1.26.4", "tensorflow=2.21.0"], "numpy 1.26.4 + tensorflow 2.21.0", "yes"),
        (["np=2.0.0", "tensorflow=2.10.1"], "numpy 2.0.0 + tensorflow 2.10.1", "no"),
        (["keras=2.15.0", "tf=2.16.2"], "keras 2.15.0 + tensorflow 2.16.2", "no"),
        (["torchvision=0.15.2", "torch=2.1.0"], "torchvision 0.15.2 + torch 2.1.0", "no"),
        (["lightning=2.6.6", "torch=2.0.1"], "lightning 2.6.6 + torch 2.0.1", "no"),
        (["kornia=0.9.0", "python=3.10"], "Python 3.10 + kornia 0.9.0", "no"),
        (["timm=1.0.31", "python=3.11"], "Python 3.11 + timm 1.0.31", "yes"),
        (["gcc=14.2", "cuda=12.4"], "gcc 14.2 + CUDA 12.4", "no"),
        (["wsl=2", "gcc=13", "cuda=12.4"], "gcc 13 + CUDA 12.4", "yes"),
    ],
)
def test_packages_compilers_and_wsl_are_known_by_their_names(words, title, state):
    answer = explain(Setup.parse(words))
    [line] = [each for each in answer.lines if each.title == title]
    assert line.verdict.state == state
    assert (answer.works is False) == (state == "no")


def test_an_older_toolkit_than_the_nearest_is_never_offered():
    answer = explain(Setup.parse(["cuda=12.1", "gpu=GTX 780", "os=linux"]))
    assert [each.setup.cuda for each in answer.alternatives] == ["11.8"]


def test_the_torchvision_that_is_proposed_is_the_one_of_that_very_torch():
    near = least_change(Setup.parse(["torch=2.1.0", "torchvision=0.15.2"]), keep=("torch",))
    assert near is not None
    assert near.commands == ("pip install torch==2.1.0 torchvision==0.16.0",)


def test_a_tensorflow_from_before_numpy_2_is_installed_with_an_older_numpy():
    for version, pinned in {"2.10.1": True, "2.16.2": False, "2.21.0": False}.items():
        answer = explain(Setup.parse([f"tensorflow={version}", "python=3.10", "os=linux"]))
        assert ('"numpy<2"' in answer.commands[-1]) is pinned, version


def test_a_cpu_build_beside_what_does_not_go_gets_an_alternative():
    words = ["driver=570.1", "cuda=11.7", "torch_cuda=cpu", "tensorflow=2.18"]
    assert explain(Setup.parse(words)).alternatives


def test_nothing_is_tried_that_leaves_a_wrong_pair_as_it_is():
    answer = explain(
        Setup.parse(["os=linux", "gcc=13.2", "cuda=11.7", "python=3.10", "numpy=1.26"])
    )
    assert answer.works is False
    assert [each.changes for each in answer.alternatives]
    assert all("numpy" not in " ".join(each.changes) for each in answer.alternatives)
