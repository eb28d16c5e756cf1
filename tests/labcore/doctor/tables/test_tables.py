"""The shape of the tables in env/compat: every row typed, sourced, in order and sane."""

import json
import re
import shutil
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from labcore.discovery import env_dir
from labcore.doctor.tables import tables, torch_for
from labcore.errors import LabError

FOLDER = env_dir() / "compat"
TABLES = sorted(path.stem for path in FOLDER.glob("*.json") if path.stem != "sources")
SOURCES = json.loads((FOLDER / "sources.json").read_text("utf-8"))["sources"]
KINDS = {
    "vendor", "project", "package metadata", "measured", "third party", "second hand", "issues",
    "unverified",
}  # fmt: skip


def table(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


def lists_of(name: str) -> list[tuple[str, list[dict[str, Any]]]]:
    return [(key, value) for key, value in table(name).items() if isinstance(value, list)]


def numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the tables that the package reads instead."""
    folder = tmp_path / "compat"
    shutil.copytree(FOLDER, folder)
    monkeypatch.setattr(tables, "compat_dir", lambda: folder)
    monkeypatch.setattr("labcore.doctor.tables.gpu.compat_dir", lambda: folder)
    return folder


def test_there_is_a_table_for_each_thing_that_has_to_agree():
    assert {
        "cub_thrust", "cuda_driver", "gpu_arch", "host_compiler", "pytorch3d",
        "tensorflow", "torch",
    } <= set(TABLES)  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_every_row_says_where_it_comes_from_and_whether_that_was_checked(name):
    assert table(name)["about"]
    for key, rows in lists_of(name):
        assert rows, key
        for row in rows:
            assert row["sources"], row
            assert set(row["sources"]) <= set(SOURCES), row
            assert isinstance(row["verified"], bool), row


def test_every_source_can_be_looked_up_or_was_measured():
    for name, source in SOURCES.items():
        assert source["title"], name
        assert source["kind"] in KINDS, name
        date.fromisoformat(source["date"])
        if source["kind"] not in {"measured", "package metadata", "unverified"}:
            assert source["url"].startswith("https://"), name


def test_every_source_but_the_general_manuals_has_a_row():
    used = json.dumps([table(name) for name in TABLES])
    unused = {name for name in SOURCES if f'"{name}"' not in used}
    assert unused <= {
        "cuda-guide",
        "numpy-2",
        "pypi-wheels",
        "pt-previous",
        "tf-pip-page",
        "tf-release-notes",
    }


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("cuda_driver", "cuda"),
        ("torch", "torch"),
        ("tensorflow", "tensorflow"),
        ("gpu_arch", "compute_capability"),
        ("pytorch3d", "pytorch3d"),
        ("cub_thrust", "cuda"),
        ("host_compiler", "cuda"),
    ],
)
def test_rows_go_from_old_to_new_with_none_twice(name, key):
    versions = [numbers(row[key]) for row in table(name)["rows"]]
    assert versions == sorted(set(versions))


@pytest.mark.parametrize("os", ["linux", "windows"])
def test_a_newer_toolkit_never_needs_an_older_driver(os):
    for key in ("rows", "families"):
        drivers = [numbers(row[os]) for row in table("cuda_driver")[key] if row[os]]
        assert len(drivers) > 2
        assert all(before <= after for before, after in pairwise(drivers)), key


def test_the_least_driver_of_a_family_is_not_above_the_ones_of_its_toolkits():
    for family in table("cuda_driver")["families"]:
        updates = [
            row
            for row in table("cuda_driver")["rows"]
            if numbers(row["cuda"])[0] == family["family"] and numbers(row["cuda"]) > (11, 0, 3)
        ]
        assert updates
        for row in updates:
            assert numbers(row["linux"]) >= numbers(family["linux"]), row


@pytest.mark.parametrize("name", ["torch", "tensorflow", "pytorch3d"])
def test_python_ranges_can_be_read_and_hold_something(name):
    for row in table(name)["rows"]:
        fitting = [
            minor for minor in range(4, 16) if SpecifierSet(row["python"]).contains(f"3.{minor}")
        ]
        assert fitting, row
        assert fitting == list(range(fitting[0], fitting[-1] + 1)), row


def test_torch_builds_name_known_cuda_releases_and_gpus():
    known = {".".join(row["cuda"].split(".")[:2]) for row in table("cuda_driver")["rows"]}
    cards = {row["compute_capability"] for row in table("gpu_arch")["rows"]}
    for row in table("torch")["rows"]:
        cudas = [build["cuda"] for build in row["builds"]]
        assert cudas == sorted(set(cudas), key=numbers), row["torch"]
        assert set(cudas) - {"9.2"} <= known, row["torch"]
        assert not cudas or row["pypi_cuda"] in cudas, row["torch"]
        assert row["newest"].startswith(f"{row['torch']}."), row["torch"]
        assert row["cxx"] in (14, 17, 20)
        for build in row["builds"]:
            archs = build["archs"]
            assert (archs is None) == (build["sources"] == [])
            assert {arch.removesuffix("+PTX") for arch in archs or ()} <= cards, row["torch"]
            assert re.fullmatch(r"\d+\.\d+(\.\d+)*", build["cudnn"]), row["torch"]


def test_a_torch_build_has_no_code_for_gpus_that_its_toolkit_does_not_know():
    gpus = {row["compute_capability"]: row for row in table("gpu_arch")["rows"]}
    for row in table("torch")["rows"]:
        for build in row["builds"]:
            for arch in build["archs"] or ():
                gpu = gpus[arch.removesuffix("+PTX")]
                assert numbers(build["cuda"]) >= numbers(gpu["cuda_min"]), (row["torch"], arch)
                last = gpu["cuda_last"]
                assert last is None or numbers(build["cuda"]) <= numbers(last), (row["torch"], arch)


def test_tensorflow_rows_have_machine_code_wherever_they_have_ptx():
    for row in table("tensorflow")["rows"]:
        archs = row["archs"] or []
        ptx = {arch[len("compute_") :] for arch in archs if arch.startswith("compute_")}
        assert ptx <= {arch[len("sm_") :] for arch in archs if arch.startswith("sm_")}, row


def test_a_card_stands_in_one_row_only():
    cards = [card.lower() for row in table("gpu_arch")["rows"] for card in row["cards"]]
    assert len(cards) == len(set(cards))
    assert len(cards) > 250


def test_the_ranges_for_cub_cover_every_toolkit_on_both_systems():
    advice = table("cub_thrust")["pytorch3d_build"]
    for cuda in (row["cuda"] for row in table("cub_thrust")["rows"]):
        for os in ("linux", "windows"):
            for pytorch3d in ("0.3.0", "0.7.4", "0.7.9"):
                assert any(
                    os in row["os"]
                    and SpecifierSet(row["cuda"]).contains(cuda)
                    and SpecifierSet(row["pytorch3d"]).contains(pytorch3d)
                    for row in advice
                ), (cuda, os, pytorch3d)


def test_pytorch3d_ranges_name_torch_releases_that_exist():
    known = [Version(row["torch"]) for row in table("torch")["rows"]]
    for row in table("pytorch3d")["rows"]:
        bounds = re.findall(r"[\d.]+", row["torch"])
        assert Version(bounds[0]) < Version(bounds[1]) < known[-1], row
        date.fromisoformat(row["date"])


def test_adding_a_release_is_adding_a_row(copy):
    path = copy / "torch.json"
    content = json.loads(path.read_text("utf-8"))
    newest = next(row for row in content["rows"] if row["torch"] == "2.14")
    content["rows"].append({**newest, "torch": "2.16", "newest": "2.16.3", "torchvision": "0.31.0"})
    path.write_text(json.dumps(content), "utf-8")
    choice = torch_for(capability="8.6", driver="595.45.04", os="linux")
    assert choice is not None
    assert choice.torch == "2.16.3"
    assert choice.pip == "pip install torch==2.16.3"


def test_a_row_with_a_misspelt_column_is_told_with_its_table(copy):
    path = copy / "host_compiler.json"
    content = json.loads(path.read_text("utf-8"))
    content["rows"][0]["gcc_mx"] = content["rows"][0].pop("gcc_max")
    path.write_text(json.dumps(content), "utf-8")
    from labcore.doctor.tables import COMPILERS

    with pytest.raises(LabError, match=r"host_compiler\.json has a wrong row: .*argument 'gcc_mx'"):
        COMPILERS.row("12.4")


def test_sources_are_given_with_title_and_address():
    known = tables.sources()
    assert set(known) == set(SOURCES)
    assert known["nv-compat"].url == SOURCES["nv-compat"]["url"]
