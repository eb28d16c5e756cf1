"""Who we are on W&B, told from the files that its own login writes."""

import pytest

from labcore.hooks.wandb.account import api_key, base_url, has_credentials


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    for name in ("WANDB_API_KEY", "WANDB_BASE_URL", "WANDB_CONFIG_DIR"):
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
    assert api_key() is None
    assert not has_credentials()


def test_a_server_of_one_s_own_is_known_from_the_login(home):
    write_settings(home / ".config" / "wandb", "[default]\nbase_url = https://wandb.lab.org/\n")
    (home / "netrc").write_text("machine wandb.lab.org login user password its-key\n")
    assert base_url() == "https://wandb.lab.org"
    assert api_key() == "its-key"


def test_the_environment_wins_over_the_files(home, monkeypatch):
    write_settings(home / "config", "[default]\nbase_url = https://wandb.lab.org\n")
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(home / "config"))
    assert base_url() == "https://wandb.lab.org"
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:8080")
    assert base_url() == "http://127.0.0.1:8080"
    (home / "netrc").write_text("machine 127.0.0.1 login user password its-key\n")
    assert api_key() == "its-key"
    monkeypatch.setenv("WANDB_API_KEY", "mine")
    assert api_key() == "mine"


@pytest.mark.parametrize("text", ["no section", "[default]\nbase_url", "[default]\nbase_url = \n"])
def test_settings_that_say_nothing_leave_the_public_server(home, text):
    write_settings(home / ".config" / "wandb", text)
    assert base_url() == "https://api.wandb.ai"


def test_a_damaged_netrc_is_no_login(home):
    (home / "netrc").write_text("machine\n")
    assert api_key() is None
