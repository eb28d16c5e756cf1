"""The report that people paste: what it tells, what it keeps to itself, and reading it back."""

import json
import textwrap
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labcore.doctor import Machine
from labcore.doctor.finding import failure, ok, warning
from labcore.doctor.machine import Card, DriverTrouble, TorchBuild
from labcore.doctor.share import from_plain, from_report, make_scrub, to_plain, to_report
from tests.labcore.doctor.machines import RTX_4090, WITH_TENSORFLOW, WORKSTATION

SCRUB = make_scrub(home="/home/tester", user="tester", host="heron.example.org")
FULL = replace(
    WORKSTATION,
    **WITH_TENSORFLOW,
    driver_trouble=DriverTrouble(code=18, text="mismatch"),
    lost_cards=("card 1",),
    probes={"torch": {"outcome": "ok", "seconds": 1.5}},
)


def shared(machine: Machine) -> Machine:
    """What a reader of the report may know of a machine."""
    card = replace(RTX_4090, uuid="GPU-11111111")
    return replace(
        machine,
        origin="report",
        cards=(card,),
        disk_free_gb={"~/lab": 400.0},
        cache_dirs={"~/.cache/torch": True},
    )


def test_a_report_is_read_back_into_the_same_facts() -> None:
    assert from_report(to_report(WORKSTATION, [], SCRUB)) == shared(WORKSTATION)
    assert from_report(to_report(FULL, [], SCRUB)) == shared(FULL)


@pytest.mark.parametrize(
    "paste",
    [
        lambda text: f"Hello,\n\nit does not work:\n{text}\nthanks",
        lambda text: textwrap.indent(text, "> "),
        lambda text: textwrap.indent(text, "    "),
        lambda text: text.replace("```json\n", "").replace("```", ""),
        lambda text: text.replace("\n", "\r\n"),
    ],
    ids=["amid text", "quoted", "indented", "fence lost", "windows line ends"],
)
def test_a_report_is_read_back_however_it_was_pasted(paste) -> None:
    found = from_report(paste(to_report(WORKSTATION, [ok("fine")], SCRUB)))
    assert found == shared(WORKSTATION)


def test_a_report_says_problems_first_with_cause_and_remedy() -> None:
    findings = [
        ok("all well"),
        warning("a little", cause="because", fix="do this"),
        failure("broken", cause="since", fix="do that"),
    ]
    text = to_report(WORKSTATION, findings, SCRUB)
    order = [text.index(words) for words in ("broken", "since", "do that", "a little", "all well")]
    assert order == sorted(order)


def test_personal_data_stays_at_home() -> None:
    secret = "hf_abcdefghijk"
    machine = replace(
        WORKSTATION,
        environ={
            "LD_LIBRARY_PATH": "/home/tester/cuda/lib:/home/other/lib",
            "WANDB_BASE_URL": f"https://tester:{secret}@wandb.example.org",
            "LAB_NOTE": f"token={secret} on heron, heron.example.org and heronry",
        },
        tools={"git": r"C:\Users\Test User\git.exe"},
    )
    finding = warning("/home/tester/x of tester", cause="on heron", fix="rm /home/tester/x")
    text = to_report(machine, [finding], SCRUB)
    assert secret not in text
    assert RTX_4090.uuid not in text
    assert "/home/tester" not in text
    assert "/home/other" not in text
    assert "heron.example" not in text
    assert "on HOST, HOST and heronry" in text
    assert "~/x of USER" in text
    assert "GPU-11111111" in text


def test_names_that_are_words_are_left_alone() -> None:
    scrub = make_scrub(home="/root", user="root", host="localhost")
    assert scrub("root of /root/lab and /rooted") == "root of ~/lab and /rooted"
    assert scrub("on localhost") == "on localhost"


def test_the_scrub_of_this_machine_knows_its_home(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert make_scrub()(f"{tmp_path}/runs") == "~/runs"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "RuntimeError: CUDA error",
        '```json\n{"schema": "other/1", "machine": {}}\n```',
        "```json\n{not json\n```",
        '```json\n["lab-doctor-report/1"]\n```',
        '```json\n{"schema": "lab-doctor-report/1"}\n```',
    ],
)
def test_other_texts_hold_no_report(text) -> None:
    assert from_report(text) is None


def test_a_report_of_another_release_gives_what_is_understood() -> None:
    plain = {
        "driver": "580.1",
        "cards": [{"name": "RTX 9090", "colour": "green", "compute_capability": 13}],
        "cores": "many",
        "in_venv": 1,
        "os": "haiku",
        "memory_gb": 64,
        "invented": True,
    }
    body = json.dumps({"schema": "lab-doctor-report/7", "machine": plain})
    assert from_report(f"```json\n{body}\n```") == Machine(
        origin="report", driver="580.1", cards=(Card(name="RTX 9090"),), memory_gb=64.0
    )


def test_a_field_without_a_default_must_be_there() -> None:
    with pytest.raises(TypeError):
        from_plain(TorchBuild, {"cuda": "13.0"})


cards = st.builds(
    Card,
    name=st.text(min_size=1),
    uuid=st.none() | st.text(),
    index=st.none() | st.integers(0, 15),
    mig_enabled=st.booleans(),
    throttle=st.lists(st.text()).map(tuple),
)
machines = st.builds(
    Machine,
    origin=st.sampled_from(["here", "report"]),
    os=st.sampled_from([None, "linux", "windows", "macos"]),
    cards=st.none() | st.lists(cards, max_size=3).map(tuple),
    memory_gb=st.none() | st.floats(0, 1e4),
    is_wsl=st.none() | st.booleans(),
    packages=st.none() | st.dictionaries(st.text(), st.text()),
    owners=st.none() | st.dictionaries(st.text(), st.lists(st.text()).map(tuple)),
    torch=st.none()
    | st.builds(TorchBuild, version=st.text(), archs=st.none() | st.just(("sm_80",))),
)


@given(machines)
def test_every_machine_goes_through_json_unchanged(machine: Machine) -> None:
    assert from_plain(Machine, json.loads(json.dumps(to_plain(machine)))) == machine
