"""The hooks of a run: called one by one, dropped when they fail, refused when they do not fit."""

import logging

import pytest

from labcore.errors import Interrupted, RequirementError, UsageError
from labcore.hooks import HookSet, hookimpl


class Recorder:
    """Writes down what it was told."""

    def __init__(self):
        self.heard = []

    @hookimpl
    def run_started(self, run):
        self.heard.append("run_started")

    @hookimpl
    def step_ended(self, loop):
        self.heard.append(("step_ended", loop))

    @hookimpl
    def message(self, text, level):
        self.heard.append((level, text))


class Broken:
    """Fails at every moment that it listens to."""

    def __init__(self):
        self.num_calls = 0
        self.is_closed = False

    @hookimpl
    def step_ended(self, run, loop):
        self.num_calls += 1
        raise RuntimeError("the server has gone away")

    @hookimpl
    def message(self, text):
        raise RuntimeError("messages fail too")

    def close(self):
        self.is_closed = True


class Essential(Broken):
    essential = True


def test_a_hook_gets_the_arguments_it_asks_for(hooks, run):
    hook = Recorder()
    hooks.register("recorder", hook)
    hooks.call("step_ended", run=run, loop="loop")
    assert hook.heard == [("step_ended", "loop")]


def test_the_loop_can_ask_whether_anybody_listens(hooks):
    assert not hooks.has("step_ended")
    hooks.register("recorder", Recorder())
    assert hooks.has("step_ended")
    assert not hooks.has("backward_ended")


def test_names_are_in_order_of_registration(hooks):
    hooks.register("one", Recorder())
    hooks.register("two", Recorder())
    assert hooks.names() == ("one", "two")


def test_a_hook_that_fails_is_dropped_reported_once_and_the_others_go_on(hooks, run, caplog):
    first, broken, last = Recorder(), Broken(), Recorder()
    hooks.register("first", first)
    hooks.register("broken", broken)
    hooks.register("last", last)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            hooks.call("step_ended", run=run, loop=None)
    assert broken.num_calls == 1
    assert hooks.names() == ("first", "last")
    for hook in (first, last):
        messages = [heard for heard in hook.heard if heard[0] == "warning"]
        assert len(messages) == 1
        assert "broken" in messages[0][1]
        assert "the server has gone away" in messages[0][1]
        assert len(hook.heard) == 4
    assert "Traceback" in caplog.text
    assert "RuntimeError" in hooks.dropped["broken"]


def test_a_dropped_hook_is_closed(hooks, run):
    broken = Broken()
    hooks.register("broken", broken)
    hooks.call("step_ended", run=run, loop=None)
    assert broken.is_closed


def test_two_hooks_may_fail_at_the_same_moment(hooks, run):
    survivor = Recorder()
    hooks.register("a", Broken())
    hooks.register("survivor", survivor)
    hooks.register("b", Broken())
    hooks.call("step_ended", run=run, loop=None)
    assert hooks.names() == ("survivor",)
    assert set(hooks.dropped) == {"a", "b"}


def test_a_failure_meant_for_people_has_no_traceback_in_the_log(hooks, run, caplog):
    class Missing:
        @hookimpl
        def run_started(self):
            raise RequirementError("wandb is not installed", fix="pip install wandb")

    hooks.register("missing", Missing())
    with caplog.at_level(logging.WARNING):
        hooks.call("run_started", run=run)
    assert "pip install wandb" in hooks.dropped["missing"]
    assert "Traceback" not in caplog.text


def test_the_error_of_an_essential_hook_reaches_the_run(hooks, run):
    hooks.register("essential", Essential())
    with pytest.raises(RuntimeError, match="gone away"):
        hooks.call("step_ended", run=run, loop=None)
    assert hooks.names() == ("essential",)


@pytest.mark.parametrize(
    "error", [Interrupted(15), KeyboardInterrupt(), UsageError("no such layer")]
)
def test_interruptions_and_usage_errors_reach_the_run(hooks, run, error):
    class Raises:
        @hookimpl
        def step_ended(self):
            raise error

    hooks.register("raises", Raises())
    with pytest.raises(type(error)):
        hooks.call("step_ended", run=run, loop=None)


def test_a_moment_that_does_not_exist_is_refused_with_the_nearest(hooks):
    class Misspelt:
        @hookimpl
        def step_end(self, run):
            pass

    with pytest.raises(UsageError) as caught:
        hooks.register("misspelt", Misspelt())
    assert "misspelt" in caught.value.message
    assert "'step_end'" in caught.value.problems[0]
    assert "step_ended" in caught.value.problems[0]
    assert hooks.names() == ()


def test_an_argument_that_does_not_exist_is_refused_with_those_that_do(hooks):
    class Wrong:
        @hookimpl
        def step_ended(self, run, trainer):
            pass

        @hookimpl
        def run_endet(self, run):
            pass

    with pytest.raises(UsageError) as caught:
        hooks.register("wrong", Wrong())
    assert len(caught.value.problems) == 2
    assert any("'trainer'" in p and "run, loop" in p for p in caught.value.problems)


def test_a_forgotten_marker_is_found(hooks):
    class Forgot:
        def step_ended(self, run, loop):
            pass

    with pytest.raises(UsageError) as caught:
        hooks.register("forgot", Forgot())
    assert "@hookimpl" in caught.value.problems[0]


def test_a_hook_that_listens_to_nothing_is_refused(hooks):
    with pytest.raises(UsageError) as caught:
        hooks.register("deaf", object())
    assert "no moment" in caught.value.problems[0]


def test_wrappers_are_refused(hooks):
    class Wraps:
        @hookimpl(wrapper=True)
        def step_ended(self, run):
            return (yield)

    with pytest.raises(UsageError, match="wrapper"):
        hooks.register("wraps", Wraps())


def test_a_name_is_taken_once(hooks):
    hooks.register("same", Recorder())
    with pytest.raises(UsageError, match="two hooks"):
        hooks.register("same", Recorder())


def test_tryfirst_and_trylast_hold(hooks, run):
    order = []

    def listener(name, **options):
        class Listener:
            @hookimpl(**options)
            def run_started(self):
                order.append(name)

        return Listener()

    hooks.register("end", listener("end", trylast=True))
    hooks.register("middle", listener("middle"))
    hooks.register("start", listener("start", tryfirst=True))
    hooks.call("run_started", run=run)
    assert order == ["start", "middle", "end"]


class Counter(Recorder):
    def __init__(self):
        super().__init__()
        self.value = 0

    def state_dict(self):
        return {"value": self.value, "list": [1.5, None, "text"]}

    def load_state_dict(self, state):
        self.value = state["value"]


def test_state_goes_round_by_name(run):
    before, after = HookSet(), HookSet()
    counter, fresh = Counter(), Counter()
    counter.value = 7
    before.register("counter", counter)
    before.register("stateless", Recorder())
    after.register("counter", fresh)
    state = before.state_dict()
    assert state == {"counter": {"value": 7, "list": [1.5, None, "text"]}}
    after.load_state_dict(state)
    assert fresh.value == 7


def test_state_of_a_hook_that_is_off_is_left_out_with_a_message(hooks, run):
    listener = Recorder()
    hooks.register("listener", listener)
    hooks.call("run_started", run=run)
    hooks.load_state_dict({"gone": {"value": 1}})
    assert any("gone" in heard[1] for heard in listener.heard)
    assert not hooks.dropped


def test_state_that_a_safe_checkpoint_cannot_hold_drops_the_hook(hooks, run):
    class Unsafe(Counter):
        def state_dict(self):
            return {"nested": [{"path": object()}]}

    hooks.register("unsafe", Unsafe())
    hooks.call("run_started", run=run)
    assert hooks.state_dict() == {}
    assert "state['nested'][0]['path']" in hooks.dropped["unsafe"]
