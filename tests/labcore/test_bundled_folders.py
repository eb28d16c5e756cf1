"""Files that are no Python are found in a checkout and in an installed wheel."""

from pathlib import Path

import pytest

from labcore import LabError, discovery
from labcore.discovery import configs_dir, sweep_file


def test_a_checkout_has_the_root_config_beside_the_package() -> None:
    assert (discovery.configs_dir() / "lab.yaml").is_file()


def test_a_wheel_has_it_inside_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "labcore/_share/configs"
    inside.mkdir(parents=True)
    (tmp_path / "configs").mkdir()
    monkeypatch.setattr(discovery, "_PACKAGE", tmp_path / "labcore")
    assert discovery.configs_dir() == inside


def test_an_incomplete_installation_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "_PACKAGE", tmp_path / "labcore")
    with pytest.raises(LabError, match=r"env/ is missing from this installation(.|\n)*pip install"):
        discovery.env_dir()


@pytest.mark.parametrize("given", ["musicvae", "musicvae.json", "configs/sweeps/musicvae.json"])
def test_a_sweep_of_the_lab_is_found_by_its_name_from_anywhere(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert sweep_file(Path(given)) == configs_dir() / "sweeps" / "musicvae.json"


def test_a_sweep_file_of_the_user_wins_over_one_of_the_lab(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("musicvae.json").write_text("{}", encoding="utf-8")
    assert sweep_file(Path("musicvae.json")) == Path("musicvae.json")
    assert sweep_file(Path("mine/musicvae")) == Path("mine/musicvae")
