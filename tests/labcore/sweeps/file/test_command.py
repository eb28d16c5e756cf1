"""The ``command`` of a sweep file: taken over where it is a lab run, refused where not."""

import pytest

COMMON = {"method": "random", "parameters": {"a": {"min": 1, "max": 3}}}


def with_command(*words, **more):
    return {**COMMON, "command": list(words), **more}


@pytest.mark.parametrize(
    "start",
    [
        ["lab", "run"],
        ["${env}", "lab", "run"],
        ["/usr/bin/env", "lab", "run"],
        ["${env}", "${interpreter}", "-m", "labcore", "run"],
        ["python3.11", "-m", "labcore", "run"],
        ["/opt/x/bin/python", "-m", "labcore", "run"],
    ],
)
def test_a_lab_run_gives_plugin_and_overrides(whole, start):
    reading = whole(with_command(*start, "plugin=toy", "preset=smoke", "${args_no_hyphens}", "x=1"))
    assert (reading.sweep.plugin, reading.sweep.overrides) == ("toy", ("preset=smoke", "x=1"))
    assert reading.warnings == []


def test_the_program_may_be_lab_itself(read):
    content = with_command("${env}", "${program}", "run", "plugin=toy", "${args_no_hyphens}")
    assert read({**content, "program": "lab"}).plugin == "toy"


def test_environment_variables_are_filled_in(read, problems, monkeypatch):
    content = with_command("lab", "run", "folder=${envvar:MY_DATA}/midi", "${args_no_hyphens}")
    monkeypatch.setenv("MY_DATA", "/data")
    assert read(content).overrides == ("folder=/data/midi",)
    monkeypatch.delenv("MY_DATA")
    (told,) = problems(content)
    assert "command[2]: the environment variable MY_DATA is not set" in told


def test_references_of_hydra_are_left_alone(read):
    sweep = read(with_command("lab", "run", "name=${task}-x", "${args_no_hyphens}"))
    assert sweep.overrides == ("name=${task}-x",)


REFUSED = {
    ("${env}", "${interpreter}", "${program}", "${args}"): "lab starts no other program",
    ("${env}", "${interpreter}", "-m", "train", "${args}"): "lab starts no other program",
    ("python", "train.py"): "lab starts no other program than its own; leave the command out",
    ("lab", "data"): "lab starts no other program",
    (): "lab starts no other program",
    ("lab", "run", "${args}"): "command[2]: it writes --name=value, and lab takes name=value",
    ("lab", "run", "${args_no_boolean_flags}"): "it writes --name=value",
    ("lab", "run", "${args_json}"): "lab takes name=value, not JSON; write ${args_no_hyphens}",
    ("lab", "run", "${args_json_file}"): "lab takes name=value, not a file",
    ("lab", "run", "${arg_no_hyphens}", "${args_no_hyphens}"): "did you mean ${args_no_hyphens}",
    ("lab", "run", "plugin=toy"): "have no place in it; add ${args_no_hyphens} at the end",
    ("lab", "run", "--dry-run", "${args_no_hyphens}"): "an option of lab run has no place",
    ("lab", "run", "toy", "${args_no_hyphens}"): "'toy' is not of the form NAME=VALUE",
}


@pytest.mark.parametrize("words", REFUSED, ids=" ".join)
def test_what_has_no_meaning_here_is_refused_with_the_reason(problems, words):
    told = problems(with_command(*words, program="train.py"))
    assert len(told) == 1
    assert REFUSED[words] in told[0]


@pytest.mark.parametrize("command", ["lab run", [1], {"a": 1}])
def test_a_command_is_a_list_of_words(problems, command):
    (told,) = problems({**COMMON, "command": command})
    assert "command: expected a list of words, such as" in told
