"""Wrong overrides: one message with all the problems and the nearest right names."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from labcore import Plugin, Task, UsageError
from labcore.config import Composed, check_sweep, compose
from labcore.discovery import FoundPlugin

Compose = Callable[..., Composed]


@pytest.fixture
def problems(shared_toy: FoundPlugin) -> Callable[..., tuple[str, ...]]:
    def call(*overrides: str) -> tuple[str, ...]:
        with pytest.raises(UsageError) as caught:
            compose(shared_toy, overrides)
        assert caught.value.exit_code == 2
        return caught.value.problems

    return call


Problems = Callable[..., tuple[str, ...]]


WRONG = {
    "lr=1": "there is no option 'lr'; did you mean optim.lr?",
    "optm.lr=1": "there is no option 'optm.lr'; did you mean optim.lr?",
    "stesp=1": "there is no option 'stesp'; did you mean steps?",
    "+lr=1": "there is no option 'lr'; did you mean optim.lr?",
    "++qqqqqq=1": "there is no option 'qqqqqq'; lab run plugin=toy --help lists them",
    "~qqqqqq": "there is no option 'qqqqqq'; lab run plugin=toy --help lists them",
    "optim={lrr:1}": "there is no option 'optim.lrr'; did you mean optim.lr?",
    "steps=many": "steps=many: expected integer, got text",
    "steps=2.5": "steps=2.5: expected integer, got number",
    "steps=null": "steps=null: expected integer, got null",
    "steps=[1]": "steps=[1]: expected integer, got list",
    "shout=maybe": "shout=maybe: expected true|false, got text",
    "optim.betas=[0.5,high]": "optim.betas=[0.5,high]: expected list of number",
    "optim.betas=3": "optim.betas=3: expected list of number, got integer",
    "name={a:1}": "name={a:1}: expected text, got mapping",
    "taps={a:stats}": "taps={a:stats}: expected mapping of text to list of text",
    "net.kind=tal": "net.kind=tal: did you mean tall? it is one of flat, tall",
    "net.kind=x": "net.kind=x: it is one of flat, tall",
    "optim=adam": "optim=adam: optim holds several options; set one of them, such as optim.lr",
    "net=tal": "net=tal: there is no 'tal'; did you mean tall? there are flat, tall",
    "net=null": "net=null: there is no 'null'; there are flat, tall",
    "net={witdh:3}": "there is no option 'net.witdh'; did you mean net.width?",
    "+net=tall": "'+net=tall': net is a choice already; leave the + out",
    "model@here=x": "'model@here=x': there is no group 'model'",
    "preset=papr": "preset=papr: there is no 'papr'; did you mean paper?",
    "task=trian": "task=trian: there is no 'trian'; did you mean train? there are train, sam",
    "hooks=defualt": "hooks=defualt: there is no 'defualt'; did you mean default?",
    "hooks=[none,wanbd]": "hooks=wanbd: there is no 'wanbd'; did you mean wandb?",
    "hooks.consle.mode=x": "hooks.consle.mode: there is no 'consle'; did you mean console?",
    "hooks.wandb.project=x": "hooks.wandb.project: the hook is not chosen; add hooks=[default,w",
    "hooks.console.moed=x": "no option 'hooks.console.moed'; did you mean hooks.console.mode?",
    "steps=1,2": "'steps=1,2' has several values; add -m to run each of them",
    "foo": "'foo' is not of the form NAME=VALUE",
    "name=a b(": "'name=a b(' cannot be read",
    "~net=[a]": "'~net=[a]': a choice is removed by its name alone: ~net",
    "net=${now:%Y}": "net=${now:%Y}: there is no '${now:%Y}'",
    "optim=${now:%Y}": "optim=${now:%Y}: optim holds several options",
    "optim.lr=" + "9" * 400: "9...: expected number, got integer",
    "steps=" + "1" * 4301: "1...' cannot be read: it is too long",
    "preset=" + "x" * 300: "x...'; there are auto, laptop",
    "steps==3": "'steps==3' cannot be read: write one =, as in steps=3",
    "taps=encoder:[stats]": "lost its braces to the shell; quote it: 'taps={NAME:VALUE,",
    "~steps": "'~steps': an option cannot be removed; give it another value",
    "seed=${nowhere}": "seed: Interpolation key 'nowhere' not found",
    "net.width=0": "net.width is 0; it must be at least 1",
    "optim.lr=-1": "optim: it must be above 0",
    "taps_every=0": "taps_every is 0; it must be at least 1",
}


@pytest.fixture(scope="module")
def all_problems(shared_toy: FoundPlugin) -> tuple[str, ...]:
    """What is said of all the wrong overrides together: composing for each would take a minute."""
    with pytest.raises(UsageError) as caught:
        compose(shared_toy, ["plugin=toy", *WRONG])
    return caught.value.problems


@pytest.mark.parametrize("override", WRONG)
def test_a_problem_is_told_with_what_would_be_right(
    all_problems: tuple[str, ...], override: str
) -> None:
    assert [problem for problem in all_problems if WRONG[override] in problem]


def test_nothing_else_is_said(all_problems: tuple[str, ...]) -> None:
    expected = (*WRONG.values(), "is given twice")
    extra = [p for p in all_problems if not any(text in p for text in expected)]
    assert extra == []


def test_of_a_value_given_twice_the_later_one_holds(shared_toy: FoundPlugin) -> None:
    composed = compose(shared_toy, ["plugin=toy", "steps=1", "steps=2"])
    assert composed.config.steps == 2


def test_a_choice_given_twice_is_a_problem(problems: Problems) -> None:
    assert problems("net=flat", "net=tall") == ("net is given twice: 'net=flat' and 'net=tall'",)


def test_all_problems_come_at_once(problems: Problems) -> None:
    found = problems(
        "foo",
        "lr=1",
        "preset=papr",
        "task=trian",
        "seed=1,2",
        "steps=x",
        "net.kind=fat",
        "net.width=0",
        "optim.lr=-1",
        "taps_every=0",
    )
    assert [problem.split()[0].strip("':;") for problem in found] == [
        "foo",
        "there",
        "preset=papr",
        "task=trian",
        "seed=1,2",
        "steps=x",
        "net.kind=fat",
        "net.width",
        "optim",
        "taps_every",
    ]


def test_checks_of_every_part_run_even_when_one_refuses(problems: Problems) -> None:
    found = problems("net.width=0", "optim.lr=-1", "steps=-1", "threads=-1")
    assert len(found) == 4


def test_the_fix_says_how_to_see_every_option(toy: FoundPlugin) -> None:
    with pytest.raises(UsageError) as caught:
        compose(toy, ["lr=1"])
    assert caught.value.fix is not None
    assert "lab run plugin=toy --help" in caught.value.fix


@dataclass(kw_only=True)
class NeedyConfig:
    source: str = "???"
    """What to read."""


def test_an_option_that_must_be_given_is_asked_for() -> None:
    task = Task(name="train", summary="", run="a:b")
    needy = Plugin(name="needy", summary="", tasks=(task,), config=NeedyConfig)
    found = FoundPlugin(name="needy", origin="test", plugin=needy)
    with pytest.raises(UsageError) as caught:
        compose(found, [])
    assert caught.value.problems == ("source must be given: add source=VALUE",)
    assert compose(found, ["source=here"]).config.source == "here"


@dataclass(kw_only=True)
class TrippingConfig:
    sizes: list[int] = field(default_factory=lambda: [1])
    inner: NeedyConfig = field(default_factory=NeedyConfig)

    def __post_init__(self) -> None:
        if 1 / self.sizes[0] > 1 or len(self.inner.source) > 3:
            raise ValueError("never")


def test_a_check_that_trips_over_a_value_already_reported_adds_nothing() -> None:
    task = Task(name="train", summary="", run="a:b")
    plugin = Plugin(name="tripping", summary="", tasks=(task,), config=TrippingConfig)
    found = FoundPlugin(name="tripping", origin="test", plugin=plugin)
    with pytest.raises(UsageError) as caught:
        compose(found, ["sizes=[0]"])
    assert caught.value.problems == ("inner.source must be given: add inner.source=VALUE",)


def test_a_fault_in_a_check_itself_is_not_hidden() -> None:
    task = Task(name="train", summary="", run="a:b")
    plugin = Plugin(name="tripping", summary="", tasks=(task,), config=TrippingConfig)
    found = FoundPlugin(name="tripping", origin="test", plugin=plugin)
    with pytest.raises(ZeroDivisionError):
        compose(found, ["sizes=[0]", "inner.source=a"])


def test_a_sweep_may_have_several_values(toy: FoundPlugin) -> None:
    given = check_sweep(toy, ["steps=1,2", "net=flat,tall", "seed=range(3)", "preset=smoke"])
    assert [len(override.values()) for override in given] == [2, 2, 3, 1]


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["steps=1,two,3"], ["steps=two: expected integer, got text"]),
        (["net=flat,tal"], ["net=tal: there is no 'tal'; did you mean tall? there are flat, tall"]),
        (["net.width=4,0", "optim.lr=1,-1"], ["net.width is 0; it m", "optim: it must be above 0"]),
        (["lr=1,2", "net.width=4,0"], ["there is no option 'lr'; did", "net.width is 0; it must"]),
    ],
)
def test_every_value_of_a_sweep_is_checked_before_it_starts(
    toy: FoundPlugin, overrides: list[str], expected: list[str]
) -> None:
    with pytest.raises(UsageError) as caught:
        check_sweep(toy, overrides)
    for problem, start in zip(caught.value.problems, expected, strict=True):
        assert problem.startswith(start)


def test_a_search_interval_is_no_problem(toy: FoundPlugin) -> None:
    assert check_sweep(toy, ["optim.lr=interval(0.001,0.1)"])[0].values() == []


def test_every_option_of_a_group_can_be_swept(toy: FoundPlugin) -> None:
    assert check_sweep(toy, ["net=glob(*)"])[0].is_sweep


def test_a_mapping_given_for_a_group_sets_options(toy: FoundPlugin) -> None:
    result = compose(toy, ["net={width:3}", "preset=smoke"])
    assert (result.config.net.width, result.origins["net.width"]) == (3, "command line")


def test_a_hook_can_be_added_and_set_up_without_a_file(toy: FoundPlugin) -> None:
    assert compose(toy, ["hooks=none", "+hooks.mine={every:2}"]).config.hooks["mine"] == {
        "every": 2
    }


def test_a_section_that_refers_to_a_word_is_told_where_hydra_takes_it(problems: Problems) -> None:
    (problem,) = problems("optim=${now:%Y}")
    assert problem.startswith("optim has parts of its own: it cannot refer to '20")
    assert problems("optim.betas=${seed}") == (
        "optim.betas has parts of its own: it cannot refer to 0",
    )


def test_a_reference_to_a_number_that_is_too_large_is_told_with_its_option(
    composed: Callable[..., Composed],
) -> None:
    with pytest.raises(UsageError) as caught:
        composed("preset=none", "optim.lr=${seed}", f"seed={'9' * 400}")
    assert any("optim.lr" in problem for problem in caught.value.problems)
