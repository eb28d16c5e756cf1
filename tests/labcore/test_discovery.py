import sys
import types

import pytest

from labcore import discovery
from labcore.discovery import find_plugins


def test_a_plugin_named_in_the_variable_is_found(write_plugin):
    write_plugin("tiny", "def work(run): pass")
    found = find_plugins()["tiny"]
    assert found.plugin.name == "tiny"
    assert found.reason is None
    assert found.origin == "LAB_PLUGINS"


def test_a_plugin_that_fails_to_import_is_listed_and_takes_no_other_down(write_plugin):
    write_plugin("broken", "plugin = 1 / 0")
    write_plugin("fine", "def work(run): pass")
    found = find_plugins()
    assert found["broken"].plugin is None
    assert "ZeroDivisionError" in found["broken"].error
    assert found["broken"].fix.startswith("python -c 'import ")
    assert found["fine"].reason is None


def test_a_missing_package_is_named_with_the_command_that_installs_it(write_plugin):
    write_plugin(
        "needy",
        """
        plugin = Plugin(
            name="needy", summary="", config=Config,
            tasks=(Task(name="work", summary="", run="x:y"),),
            requires=Requires(packages=("no-such-package-anywhere>=3", "click<0.1")),
        )
        """,
    )
    found = find_plugins()["needy"]
    assert found.plugin is not None
    assert "no-such-package-anywhere is not installed" in found.reason
    assert "click is" in found.reason
    assert found.fix == 'pip install "no-such-package-anywhere>=3" "click<0.1"'


@pytest.mark.parametrize(
    ("requirement", "reason"),
    [
        ("no-such-package | click>=8", None),
        ("click>=8 | no-such-package", None),
        ("no-such-package>=3 | another-one", "no-such-package is not installed"),
        ("no-such-package | click<0.1", "click is"),
    ],
)
def test_of_packages_that_stand_in_for_each_other_one_is_enough(write_plugin, requirement, reason):
    write_plugin(
        "choosy",
        f"""
        plugin = Plugin(
            name="choosy", summary="", config=Config,
            tasks=(Task(name="work", summary="", run="x:y"),),
            requires=Requires(packages=({requirement!r},)),
        )
        """,
    )
    found = find_plugins()["choosy"]
    assert (found.reason is None) == (reason is None)
    if reason is not None:
        assert reason in found.reason
        assert "|" not in found.fix


def test_an_object_that_is_no_plugin_is_refused(write_plugin):
    write_plugin("odd", "plugin = 'a string'")
    assert "not a labcore.Plugin" in find_plugins()["odd"].error


def test_a_declaration_with_another_name_is_refused(write_plugin):
    write_plugin(
        "one",
        "plugin = Plugin(name='two', summary='', config=Config, "
        "tasks=(Task(name='work', summary='', run='x:y'),))",
    )
    assert "calls itself 'two'" in find_plugins()["one"].error


def test_a_variable_of_the_wrong_form_is_a_row_that_says_so(monkeypatch):
    monkeypatch.setenv("LAB_PLUGINS", "what")
    assert "name=module:object" in find_plugins()["what"].error


def test_the_variable_hides_a_plugin_of_the_checkout_with_the_same_name(write_plugin):
    write_plugin("musicvae", "def work(run): pass")
    assert find_plugins()["musicvae"].origin == "LAB_PLUGINS"


def test_entry_points_of_installed_packages_are_found(write_plugin, monkeypatch):
    module = write_plugin("installed", "def work(run): pass")
    monkeypatch.delenv("LAB_PLUGINS")
    entry = types.SimpleNamespace(
        name="installed", value=f"{module}:plugin", dist=types.SimpleNamespace(name="some-dist")
    )
    monkeypatch.setattr(
        discovery.importlib.metadata,
        "entry_points",
        lambda group: [entry] if group == "lab.plugins" else [],
    )
    found = find_plugins()["installed"]
    assert found.plugin is not None
    assert found.origin == "entry point of some-dist"


def test_finding_plugins_imports_no_framework():
    import subprocess

    code = (
        "import sys; from labcore.discovery import find_plugins; find_plugins();"
        "heavy = {'torch','tensorflow','pytorch3d','wandb','matplotlib','pandas','numpy','hydra'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("field", ["name", "tasks", "config"])
def test_a_declaration_says_what_is_wrong_with_it(field):
    from dataclasses import make_dataclass

    from labcore import Plugin, Task

    good = {
        "name": "fine",
        "summary": "",
        "tasks": (Task(name="work", summary="", run="a:b"),),
        "config": make_dataclass("C", []),
    }
    bad = {"name": "Not A Name", "tasks": (), "config": dict}
    with pytest.raises(ValueError, match=r"lower-case|at least one task|must be a dataclass"):
        Plugin(**{**good, field: bad[field]})


def test_a_fix_names_the_installation_that_is_there(monkeypatch, tmp_path):
    assert discovery.install_command("sweeps") == 'pip install -e ".[sweeps]"'
    monkeypatch.setattr(discovery, "__file__", str(tmp_path / "labcore" / "discovery.py"))
    assert discovery.install_command("sweeps") == 'pip install "unified-ml-lab[sweeps]"'


def test_a_plugin_that_hides_another_names_it_without_importing_it(write_plugin, monkeypatch):
    write_plugin("render", "def work(run): pass")
    monkeypatch.delitem(sys.modules, "plugins.render", raising=False)
    assert find_plugins()["render"].hides == ("plugins/render",)
    assert "plugins.render" not in sys.modules
