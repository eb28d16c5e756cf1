"""Who we are on W&B, told from the files that its own login writes."""

import pytest

from labcore.hooks.wandb import account
from labcore.hooks.wandb.account import base_url, has_credentials, is_logged_in


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    for name in ("WANDB_API_KEY", "WANDB_BASE_URL", "WANDB_CONFIG_DIR", "WANDB_MODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    return tmp_path


def write_settings(folder, text):
    folder.mkdir(parents=True)
    (folder / "settings").write_text(text)


def test_nobody_is_logged_in_on_a_new_machine():
    assert base_url() == "https://api.wandb.ai"
    assert not has_credentials()


def test_a_server_of_one_s_own_is_known_from_the_login(home):
    write_settings(home / ".config" / "wandb", "[default]\nbase_url = https://wandb.lab.org/\n")
    (home / "netrc").write_text("machine wandb.lab.org login user password its-key\n")
    assert base_url() == "https://wandb.lab.org"
    assert has_credentials()


def test_the_environment_wins_over_the_files(home, monkeypatch):
    write_settings(home / "config", "[default]\nbase_url = https://wandb.lab.org\n")
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(home / "config"))
    assert base_url() == "https://wandb.lab.org"
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:8080")
    assert base_url() == "http://127.0.0.1:8080"
    (home / "netrc").write_text("machine 127.0.0.1 login user password its-key\n")
    assert has_credentials()


@pytest.mark.parametrize("text", ["no section", "[default]\nbase_url", "[default]\nbase_url = \n"])
def test_settings_that_say_nothing_leave_the_public_server(home, text):
    write_settings(home / ".config" / "wandb", text)
    assert base_url() == "https://api.wandb.ai"


def test_a_damaged_netrc_is_no_login(home):
    (home / "netrc").write_text("machine\n")
    assert not has_credentials()


def test_logged_in_means_that_wandb_is_there_with_a_key_and_not_switched_off(monkeypatch):
    monkeypatch.setattr(account, "find_spec", lambda name: object())
    assert not is_logged_in()
    monkeypatch.setenv("WANDB_API_KEY", "mine")
    assert is_logged_in()
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert not is_logged_in()
    monkeypatch.delenv("WANDB_MODE")
    monkeypatch.setattr(account, "find_spec", lambda name: None)
    assert not is_logged_in()
