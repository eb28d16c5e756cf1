"""Sweep files that are wrong: every problem at once, with its place and the nearest right name."""

import pytest
import yaml

from labcore.errors import UsageError
from labcore.sweeps.file.read import read_sweep

BROKEN = """\
name: 2024
metod: bayes
metric:
  name: val/auc
  goal: maximise
parameters:
  lr: {min: 1e-5, max: 1E-2}
  lr2: {distribution: log_uniform_values, min: 0, max: "0.1"}
  sizes: {values: [8, 1.5e2]}
  on: {value: 3}
  opt:
    lr: {min: 0.1, max: 0.2}
  nest: {parameters: {lr: {min: 0.3, max: 0.2}}, distribution: uniform}
  nest.lr: {value: 3}
  width: 32
  depth: [3, 4]
  q: {min: 1, max: 5, q: 2}
  q2: {distribution: uniform, min: 1, max: 5, q: 2}
  q3: {distribution: q_uniform, min: 1, max: 5, q: 0}
  p: {values: [1, 2], probabilities: [0.4, 0.7]}
  p2: {values: [1, 2], probabilities: [1]}
  p3: {values: [1, 2], probabilities: [-1, 2]}
  m: {mi: 1, max: 2}
  empty: {values: []}
  far: {distribution: log_uniform_value, min: 1, max: 2}
  empty: {value: 3}
  b: {min: yes, max: 3}
  n: {distribution: normal, sigma: -1, mux: 3}
  bad..name: {value: 1}
  same: {min: 2, max: 2}
  nothing: {}
  typo: {vaule: 3}
  ints: {distribution: int_uniform, min: 1.5, max: 3}
  big: {distribution: log_uniform, min: 1, max: 1024}
  mu: {mu: 3}
  ab: {a: 3}
  none: {distribution: constant}
  beta: {distribution: beta, a: 0}
  one: {values: 3}
  date: {value: 2024-01-01}
  nan: {min: 0.5, max: .nan}
  sub: {parameters: {}}
  list: {values: []}
  void: {min: , max: abc}
  over: {distribution: beta, mu: 3}
  swap: {value: 3, values: [4]}
early_terminate:
  type: hyperbad
  max_iter: 3
  eta: 1
  strict: 3
run_cap: 0
controller: {type: remote}
job: train
"""

SAID = """\
line 1: name: expected text, got the number 2024; put it in quotes
line 2: metod: there is no such key; did you mean method?
line 5: metric.goal: there is no "maximise"; did you mean maximize? it is one of minimize, maximize
line 7: parameters.lr.min: YAML reads 1e-5 as text, not as a number; write 1.0e-5
line 7: parameters.lr.max: YAML reads 1E-2 as text, not as a number; write 1.0e-2
line 8: parameters.lr2.max: expected a number, got text "0.1"; take the quotes off
line 8: parameters.lr2.min: 0 has no logarithm; min must be above 0
line 9: parameters.sizes.values[1]: YAML reads 1.5e2 as text, not as a number; write 1.5e+2
line 10: parameters.on: YAML reads this key as true or false; put it in quotes
line 11: parameters.opt: nested options go inside a key parameters: {parameters: {NAME: ...}}
line 13: parameters.nest.distribution: beside parameters there can be no other key
line 13: parameters.nest.parameters.lr: min 0.3 is above max 0.2
line 14: parameters.nest.lr: nest.lr is there already, as parameters.nest.parameters.lr
line 15: parameters.width: expected a mapping; write {value: 32}
line 16: parameters.depth: expected a mapping; write {values: [3, 4]}
line 17: parameters.q.q: q needs a distribution that rounds: add distribution: q_uniform
line 18: parameters.q2.q: uniform does not round; q belongs to q_uniform
line 19: parameters.q3.q: it is 0; it must be above 0
line 20: parameters.p.probabilities: they sum to 1.1, not to 1
line 21: parameters.p2.probabilities: there are 1 of them for 2 values
line 22: parameters.p3.probabilities: -1 is no probability; it must be 0 or more
line 23: parameters.m.mi: there is no such key; did you mean min?
line 23: parameters.m: int_uniform needs min
line 25: parameters.far.distribution: there is no "log_uniform_value"; did you mean \
log_uniform_values or q_log_uniform_values?
line 26: parameters.empty: the key is there twice
line 27: parameters.b.min: expected a number, got true
line 28: parameters.n.mux: there is no such key; did you mean mu?
line 28: parameters.n.sigma: it is -1; it must be at least 0
line 29: parameters.bad..name: a parameter's name is that of an option: letters, digits, _ and -, \
with dots between the parts
line 30: parameters.same: min and max are both 2; for one value write {value: 2}
line 31: parameters.nothing: there is nothing to choose from; give value, values, or min and max
line 32: parameters.typo: there is no key 'vaule'; did you mean value or values?
line 33: parameters.ints.min: int_uniform takes whole numbers, got 1.5
line 34: parameters.big.max: log_uniform takes exponents of e, and e^1024 is no number; \
log_uniform_values takes the values themselves
line 35: parameters.mu: mu and sigma need a distribution: add distribution: normal, or log_normal
line 36: parameters.ab: a and b need a distribution: add distribution: beta
line 37: parameters.none: constant needs value
line 38: parameters.beta.a: it is 0; it must be above 0
line 39: parameters.one.values: expected a list; write [3]
line 40: parameters.date.value: YAML reads 2024-01-01 as a date; put it in quotes
line 41: parameters.nan.max: expected a finite number, got nan
line 42: parameters.sub.parameters: there are none; give at least one option to search
line 43: parameters.list.values: the list is empty
line 44: parameters.void.min: expected a number, got nothing
line 44: parameters.void.max: expected a number, got text
line 45: parameters.over.mu: beta takes a and b; mu means nothing to it
line 46: parameters.swap.values: constant takes value; values means nothing to it
line 47: early_terminate: hyperband needs min_iter, or max_iter and s
line 48: early_terminate.type: there is no "hyperbad"; did you mean hyperband? it is one of \
hyperband
line 50: early_terminate.eta: it is 1; it must be above 1
line 51: early_terminate.strict: expected true or false, got the number 3
line 52: run_cap: it is 0; it must be at least 1
line 53: controller.type: there is no "remote"; it is one of local, cloud
line 54: job: W&B Launch would run it; lab runs a plugin
"""


def test_all_problems_of_a_file_are_told_at_once_in_its_order(problems):
    told = problems(BROKEN)
    assert list(told) == [*SAID.splitlines(), "the key method is missing"]


RIGHT = {"method": "random", "parameters": {"a": {"min": 0.1, "max": 0.5}}}

WHOLE = {
    "grid of a range": (
        {"method": "grid"},
        "line 4: parameters.a: a grid cannot list uniform, which is continuous",
    ),
    "grid of weights": (
        {
            "method": "grid",
            "parameters": {"a": {"values": [1, 2], "probabilities": [0.5, 0.5]}},
        },
        "a grid takes each value once, whatever its probability; leave probabilities out",
    ),
    "grid without end": (
        {
            "method": "grid",
            "parameters": {"a": {"distribution": "q_uniform", "min": 0, "max": 9, "q": 1e-6}},
        },
        "it has more than 100,000 multiples of q; make q larger, or use random",
    ),
    "bayes without metric": ({"method": "bayes"}, "line 2: method: bayes needs the metric"),
    "stopping without metric": (
        {"early_terminate": {"type": "hyperband", "min_iter": 3}},
        "early_terminate: it needs the metric to compare: add metric",
    ),
    "metric without name": ({"metric": {"goal": "maximize"}}, "metric: the key name is missing"),
    "metric as text": (
        {"metric": "loss"},
        "metric: expected a mapping with a name and a goal, got text",
    ),
    "metrics": ({"metrics": []}, "several metrics at once need a scheduler of W&B"),
    "stopping as text": (
        {"metric": {"name": "x"}, "early_terminate": "hyperband"},
        "early_terminate: expected a mapping with type: hyperband and min_iter, got text",
    ),
    "stopping without type": (
        {"metric": {"name": "x"}, "early_terminate": {"min_iter": 3}},
        "early_terminate: the key type is missing; add type: hyperband",
    ),
    "stopping without brackets": (
        {"metric": {"name": "x"}, "early_terminate": {"type": "hyperband"}},
        "early_terminate: hyperband needs min_iter, or max_iter and s",
    ),
    "no bracket at all": (
        {
            "metric": {"name": "x"},
            "early_terminate": {"type": "hyperband", "max_iter": 2, "s": 1},
        },
        "early_terminate: there is no bracket: max_iter 2 / eta 3 is below 1",
    ),
    "half a log": (
        {"metric": {"name": "x"}, "early_terminate": {"type": "hyperband", "min_iter": 1.5}},
        "early_terminate.min_iter: expected a whole number, got 1.5",
    ),
    "no parameters": ({"parameters": {}}, "parameters: there are none; give at least one"),
    "parameters as a list": (
        {"parameters": [1]},
        "parameters: expected a mapping with a parameter for each option to search, got a list",
    ),
    "not a sweep": ({"kind": "job"}, 'kind: there is no "job"; it is one of sweep'),
    "method of a scheduler": ({"method": "custom"}, 'method: there is no "custom"'),
    "two plugins": (
        {"parameters": {"plugin": {"values": ["a", "b"]}}},
        "parameters.plugin: a sweep runs one plugin; give it one value",
    ),
    "a plugin drawn": (
        {"parameters": {"plugin": {"distribution": "normal"}}},
        "parameters.plugin: a sweep runs one plugin; give it one value",
    ),
    "an option twice as a whole": (
        {"parameters": {"x": {"value": {"y": 1}}, "x.y": {"values": [1, 2]}}},
        "parameters.x.y: x is searched as a whole, so x.y cannot be searched as well",
    ),
}


@pytest.mark.parametrize("case", WHOLE)
def test_what_the_parts_make_together_is_checked(problems, case):
    changes, words = WHOLE[case]
    (told,) = problems({**RIGHT, **changes})
    assert words in told


def test_an_option_cannot_be_searched_and_set(problems):
    (told,) = problems(RIGHT, overrides=["a=3"])
    assert told == "line 4: parameters.a: it is searched, and set by a=3; leave one out"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"method": "grid",}', "line 1, column 18: there is a comma after the last item"),
        ('{"a": [1, 2,]}', "line 1, column 12: there is a comma after the last item"),
        ("{'method': 1}", "line 1, column 2: JSON has text in double quotes only"),
        ('{"a": None}', "None is Python; JSON writes null"),
        ('{"a": True}', "True is Python; JSON writes true"),
        ('{"a": 1, // the first\n"b": 2}', "JSON has no comments"),
        ('{"a": 1\n"b": 2}', "line 2, column 1: expecting ',' delimiter"),
        ("", "line 1, column 1: the file is empty"),
        ("[1]", "expected a mapping with the keys method and parameters, got a list"),
        ("null", "the file is empty"),
        ('{"method": "random", "method": "grid", "parameters": {"a": {"value": 1}}}', "twice"),
    ],
)
def test_what_is_no_json_is_told_by_line_and_column(problems, text, words):
    (told,) = problems(text, "sweep.json")
    assert words in told


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("method: [grid", "line 1, column 14: expected ',' or ']'"),
        ("method: grid\n\tname: x", "line 2, column 1: there is a tab; YAML is indented by spaces"),
        ("method: grid\n---\nmethod: random", "there is a second document; a file holds one sweep"),
        ("", "the file is empty"),
        ("# nothing", "the file is empty"),
        ("- a\n- b", "expected a mapping with the keys method and parameters, got a list"),
        (
            "method: random\nparameters: {a: {values: [!!python/name:os.system '']}}",
            "tag of Python",
        ),
        ("method: random\nparameters: {a: {value: !!binary aGVsbG8=}}", "!!binary is a tag"),
        ("method: random\nparameters: {a: {value: &x [*x]}}", "stands for something that it is a"),
        ("method: random\nparameters: {a: {values: [!!int x]}}", "line 2: parameters.a.values[0]"),
        ("method: random\nparameters: {a: {value: 1}}\n3: x", "line 3: 3: YAML reads this key as"),
        (
            "method: random\nparameters: {a: {value: 1}}\n? [b]\n: x",
            "YAML reads this key as a list",
        ),
        ("method: random\x00", "special characters are not allowed"),
    ],
)
def test_what_is_no_yaml_is_told_by_line_and_column(problems, text, words):
    assert any(words in told for told in problems(text)), problems(text)


def test_a_file_that_is_not_there_gets_the_nearest_name(write, tmp_path):
    write(RIGHT, "depth.json")
    for name, words in (
        ("dept.json", f"did you mean {tmp_path / 'depth.json'}?"),
        ("xxxxx.yaml", "there are depth.json"),
    ):
        with pytest.raises(UsageError, match="there is no sweep file") as caught:
            read_sweep(tmp_path / name)
        assert words in str(caught.value)
    with pytest.raises(UsageError, match="there is no sweep file") as caught:
        read_sweep(tmp_path / "none" / "depth.json")
    assert caught.value.problems == ()


def test_files_of_other_kinds_are_refused(tmp_path):
    with pytest.raises(UsageError, match=r"a sweep is a \.json or \.yaml file"):
        read_sweep(tmp_path / "sweep.toml")
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(UsageError, match="cannot be read: "):
        read_sweep(tmp_path / "folder.json")
    (tmp_path / "latin.yaml").write_bytes("name: Fr\xe9d".encode("latin-1"))
    with pytest.raises(UsageError, match="is not text in UTF-8"):
        read_sweep(tmp_path / "latin.yaml")


@pytest.mark.parametrize(
    "text",
    ["1e-5", "1e5", "1E+5", "1.5e2", "-2e3", "-.5", "+.5", ".5e3", "-.5e-3", "08", "-09", "1_0e2"],
)
def test_a_number_that_yaml_reads_as_text_is_shown_as_yaml_reads_a_number(problems, text):
    assert isinstance(yaml.safe_load(text), str)
    (told,) = problems(f"method: random\nparameters: {{a: {{value: {text}}}}}")
    start = f"line 2: parameters.a.value: YAML reads {text} as text, not as a number; write "
    assert told.startswith(start)
    right = yaml.safe_load(told.removeprefix(start))
    assert right == float(text)
    assert type(right) is (float if {*text} & {*".eE"} else int)


BOMB = "a: &a [1, 1]\n" + "".join(
    f"{new}: &{new} [*{old}, *{old}, *{old}, *{old}]\n"
    for old, new in zip("abcdefghijkl", "bcdefghijklm", strict=True)
)
MERGE_BOMB = "a: &a {x: 1}\n" + "".join(
    f"{new}: &{new} {{<<: [*{old}, *{old}, *{old}, *{old}]}}\n"
    for old, new in zip("abcdefghijkl", "bcdefghijklm", strict=True)
)
MANY = "more than 50,000 values"
DEEP = "inside each other more than 40 deep"


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        (BOMB, "s.yaml", MANY),
        (MERGE_BOMB, "s.yaml", MANY),
        ("method: " + "[" * 5000, "s.yaml", DEEP),
        ("method: " + "[" * 60 + "]" * 60, "s.yaml", DEEP),
        ('{"method": ' + "[" * 5000 + "]" * 5000 + "}", "s.json", DEEP),
        ('{"method": ' + '{"a": ' * 60 + "1" + "}" * 61, "s.json", DEEP),
        ("a: &a {<<: *a}\nmethod: grid", "s.yaml", "<< takes in another mapping"),
        ("a: {<<: 3}\nmethod: grid", "s.yaml", "line 1: a.<<: << takes in another mapping"),
        (f"run_cap: {'9' * 400}", "s.yaml", "line 1: run_cap: the whole number does not fit 64"),
        (f"run_cap: {'9' * 5000}", "s.yaml", "run_cap: the whole number does not fit 64 bits"),
        (f'{{"run_cap": {"9" * 400}}}', "s.json", "run_cap: the whole number does not fit 64"),
        (f'{{"run_cap": {"9" * 5000}}}', "s.json", "run_cap: the whole number does not fit 64"),
        ('run_cap: !!timestamp "x"', "s.yaml", "run_cap: 'x' cannot be read as a date"),
        ('run_cap: !!int ""', "s.yaml", "run_cap: '' cannot be read as a number"),
        ("run_cap: !!bool perhaps", "s.yaml", "'perhaps' cannot be read as true or false"),
        ("name: !!python/object/apply:os.system [ls]", "s.yaml", "!!python/object/apply:os.system"),
        ('{"name": "\\ud800"}', "s.json", "name: the text has half a character"),
    ],
)
def test_files_that_stand_for_too_much_are_refused_at_once(problems, text, name, words):
    assert any(words in told for told in problems(text, name)), problems(text, name)


@pytest.mark.parametrize("name", ["s.yaml", "s.json"])
def test_a_file_that_is_too_large_is_refused_unread(write, name):
    path = write("x" * 300_000, name)
    with pytest.raises(UsageError, match="larger than the 256 KiB"):
        read_sweep(path)


def test_what_is_merged_is_overridden_and_the_first_of_several_wins(read):
    text = "method: random\nparameters:\n  x: &x {min: 1, max: 5}\n  y: {<<: *x, max: 9}\n"
    text += "  z: {<<: [{max: 7}, *x]}\n"
    assert {name: each.bounds for name, each in read(text).parameters.items()} == {
        "x": (1, 5),
        "y": (1, 9),
        "z": (1, 7),
    }


def test_a_name_cannot_write_to_the_terminal(problems):
    told = problems({"method": "grid", "parameters": {"\x1b[2J": {"value": 1}}})
    assert all(line.isprintable() for line in told)
    assert any(r"parameters.\x1b[2J" in line for line in told)


def test_of_thousands_of_problems_the_first_are_told(problems):
    told = problems({"method": "grid", "parameters": {f"x{n}": n for n in range(1000)}})
    assert len(told) == 101
    assert told[-1] == "and 900 more"
