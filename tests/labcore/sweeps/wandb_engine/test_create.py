"""Handing a sweep to a stub of W&B's server, with W&B's own client."""

import os

import pytest

from labcore.errors import LabError, RequirementError, UsageError
from labcore.sweeps.wandb_engine import SweepAddress, create_sweep
from tests.labcore.sweeps.wandb_stub import ENTITY, WandbStub
from tests.labcore.sweeps.wandb_stub.toys import toy_sweep

pytest.importorskip("wandb", reason="needs W&B: pip install wandb")
pytestmark = pytest.mark.ml


@pytest.fixture
def stub(monkeypatch, tmp_path):
    for name in ("CONFIG", "CACHE", "DATA"):
        monkeypatch.setenv(f"WANDB_{name}_DIR", str(tmp_path / name.lower()))
        (tmp_path / name.lower()).mkdir()
    for name in ("WANDB_MODE", "WANDB_PROJECT", "WANDB_ENTITY", "WANDB_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.chdir(tmp_path)
    with WandbStub() as stub:
        for name, value in stub.environment.items():
            monkeypatch.setenv(name, value)
        yield stub


def test_a_sweep_is_created_by_wandb_itself_as_its_file_says(stub, capfd):
    before = dict(os.environ)
    address = create_sweep(toy_sweep())
    assert address == SweepAddress(entity=ENTITY, project="toy", id=stub.sweep.name)
    config = dict(stub.sweep.config)
    config.pop("command")
    amount = {"distribution": "int_uniform", "min": 1, "max": 9}  # as W&B's client completes it
    assert config == {**toy_sweep().raw, "parameters": {"amount": amount}}
    assert "WANDB_PROJECT" not in os.environ
    assert set(os.environ) - set(before) <= {"WANDB_ERROR_REPORTING"}
    assert capfd.readouterr().out == ""  # what wandb prints is in the log


def test_agents_get_a_command_that_logs_and_dotted_options_whatever_the_file_has(stub):
    nested = {"train": {"parameters": {"lr": {"value": 0.5}}}, "model": {"values": ["a", "b"]}}
    command = ["lab", "run", "preset=smoke", "${args_no_hyphens}"]
    raw = {**toy_sweep().raw, "parameters": nested, "command": command}
    create_sweep(toy_sweep(raw=raw, overrides=("preset=smoke",)))
    assert set(stub.sweep.config["parameters"]) == {"train.lr", "model"}
    assert stub.sweep.config["command"] == [
        *("${env}", "${interpreter}", "-m", "labcore", "sweep", "wandb-trial", "plugin=toy"),
        *("preset=smoke", "hooks=[default,wandb]"),
    ]


def test_project_and_entity_come_from_the_file_or_the_environment(stub, monkeypatch):
    assert create_sweep(toy_sweep(project="file", entity="team")).entity == "team"
    monkeypatch.setenv("WANDB_PROJECT", "environment")
    assert create_sweep(toy_sweep()).project == "environment"
    assert create_sweep(toy_sweep(project="file")).project == "file"


def test_a_sweep_that_cannot_be_created_says_why(stub, monkeypatch):
    with pytest.raises(UsageError, match="leaves out W&B"):
        create_sweep(toy_sweep(overrides=("hooks=none",)))
    mixed = {"method": "random", "parameters": {"amount": {"min": 1, "max": 2.5}}}
    with pytest.raises(LabError, match=r"does not take the sweep: .*amount is ambiguous"):
        create_sweep(toy_sweep(raw=mixed))
    monkeypatch.setenv("WANDB_API_KEY", "y" * 40)
    with pytest.raises(RequirementError, match=r"logging in to http://127.0.0.1:.* failed"):
        create_sweep(toy_sweep())
    monkeypatch.delenv("WANDB_API_KEY")
    with pytest.raises(RequirementError, match="no API key for") as caught:
        create_sweep(toy_sweep())
    assert "--engine local" in str(caught.value)
    assert not stub.state.sweeps


def test_a_sweep_that_chooses_hooks_with_w_and_b_among_them_keeps_its_choice(stub):
    create_sweep(toy_sweep(overrides=("hooks=[wandb]",)))
    assert stub.sweep.config["command"][-1] == "hooks=[wandb]"


def test_the_page_of_a_sweep_is_on_the_server_that_one_is_logged_in_to(monkeypatch):
    address = SweepAddress(entity="team", project="my project", id="ab12")
    assert str(address) == "team/my project/ab12"
    monkeypatch.delenv("WANDB_BASE_URL", raising=False)
    monkeypatch.setenv("WANDB_CONFIG_DIR", "/nowhere")
    assert address.url == "https://wandb.ai/team/my%20project/sweeps/ab12"
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.example.org/")
    assert address.url == "https://wandb.example.org/team/my%20project/sweeps/ab12"
