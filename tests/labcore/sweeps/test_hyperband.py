"""W&B's stopping rule against examples worked by hand.

Every example is six runs or fewer, so that the sorted values fit in a comment.
"""

import math

import pytest

from labcore.sweeps.hyperband import Hyperband

NAN, INF = math.nan, math.inf


def stops(rule, history, others, goal):
    return bool(rule.judge(history, others, goal))


def stopped(rule, histories, goal="minimize"):
    """Names of the runs that the rule stops, each compared with all the others."""
    return "".join(
        name
        for name, history in histories.items()
        if stops(rule, history, [h for n, h in histories.items() if n != name], goal)
    )


def test_of_two_runs_the_worse_is_stopped_when_eta_is_above_2():
    two = {"a": [1.0], "b": [2.0]}
    assert stopped(Hyperband(min_iter=1, eta=3), two) == "b"
    assert stopped(Hyperband(min_iter=1, eta=2), two) == ""


@pytest.mark.parametrize(
    ("options", "brackets"),
    [
        ({"min_iter": 3}, (3, 9, 27, 81)),
        ({"min_iter": 5}, (5, 15, 45)),
        ({"min_iter": 3, "eta": 2}, (3, 6, 12, 24, 48, 96)),
        ({"min_iter": 1, "eta": 1.5}, (1, 2, 3, 5, 7, 11, 17, 25, 38, 57, 86)),
        ({"max_iter": 27, "s": 2}, (3, 9)),
        ({"max_iter": 81, "s": 3, "eta": 3}, (3, 9, 27)),
        ({"max_iter": 100, "s": 3, "eta": 2}, (12, 25, 50)),
        ({"max_iter": 4, "s": 10, "eta": 2}, (1, 2)),  # 0.5 is no count
        ({"max_iter": 27, "s": 2, "min_iter": 5}, (3, 9)),  # max_iter holds
    ],
)
def test_brackets_are_powers_of_eta_apart(options, brackets):
    assert Hyperband(**options).brackets(100) == brackets


def test_only_brackets_reached_are_listed():
    assert Hyperband(min_iter=3).brackets(2) == ()
    assert Hyperband(min_iter=3).brackets(9) == (3, 9)
    assert Hyperband(max_iter=27, s=2).brackets(8) == (3,)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "needs min_iter, or max_iter and s"),
        ({"max_iter": 9, "min_iter": 3}, "needs min_iter, or max_iter and s"),
        ({"max_iter": 2, "s": 3}, "max_iter 2 / eta 3 is below 1"),
    ],
)
def test_options_that_give_no_bracket_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        Hyperband(**options)


def test_before_the_first_bracket_nothing_is_said():
    assert Hyperband(min_iter=3).judge([9, 9], [[1, 1, 1]], "minimize") == ""


def test_a_run_alone_is_never_stopped():
    assert not stops(Hyperband(min_iter=1, eta=2, strict=True), [5, 6, 7, 8], [], "minimize")


MIN_ITER = {"a": [4, 3], "b": [4, 5], "c": [4, 1], "d": [4, 2]}


def test_min_iter_eta_2_keeps_the_better_half():
    # Bracket 2: 1 2 3 5; index floor(4 / 2) = 2: the threshold is 3. Bests: a 3, b 4, c 1, d 2.
    assert stopped(Hyperband(min_iter=2, eta=2), MIN_ITER) == "b"
    # b: bracket 2, its best of 4 against 3.
    told = Hyperband(min_iter=2, eta=2).judge([4, 5], [[4, 3], [4, 1], [4, 2]], "minimize")
    assert told == "log 2: 4 is worse than 3, among 4 runs"


def test_min_iter_eta_3_keeps_the_better_third():
    # Bracket 2: 1 2 3 5 6 7; index floor(6 / 3) = 2: the threshold is 3.
    histories = {n: [9, v] for n, v in zip("abcdef", [1, 2, 3, 5, 6, 7], strict=True)}
    assert stopped(Hyperband(min_iter=2, eta=3), histories) == "def"


def test_with_two_runs_the_worse_one_is_stopped():
    # floor(2 / 3) = 0: the threshold is the best of all.
    assert stopped(Hyperband(min_iter=1), {"a": [1], "b": [2]}) == "b"
    assert stopped(Hyperband(min_iter=1), {"a": [2], "b": [2]}) == ""


STRICT = {"a": [1, 8, 8], "b": [6, 5, 5], "c": [6, 4, 4], "d": [6, 3, 2]}


def test_strict_judges_by_the_value_at_the_bracket():
    # Bracket 2: 3 4 5 8; index floor(4 / 3) = 1: the threshold is 4.
    # a is at 8 there, though it once was at 1.
    assert stopped(Hyperband(min_iter=2, eta=3, strict=True), STRICT) == "ab"


def test_not_strict_judges_by_the_best_value_so_far():
    # Bests: a 1, b 5, c 4, d 2, against 4.
    assert stopped(Hyperband(min_iter=2, eta=3), STRICT) == "b"


def test_a_better_value_after_the_bracket_saves_a_run_unless_strict():
    # eta 2, bracket 2 (the next is 4): 1 2 5; index 1: the threshold is 2. c improves at log 3.
    histories = {"a": [9, 1], "b": [9, 2], "c": [9, 5, 2]}
    assert stopped(Hyperband(min_iter=2, eta=2), histories) == ""
    assert stopped(Hyperband(min_iter=2, eta=2, strict=True), histories) == "c"


MAX_ITER = {
    "a": [10, 9],
    "b": [10, 10],
    "c": [10, 8, 8],
    "d": [10, 7, 7],
    "e": [10, 6, 6],
}


def test_max_iter_eta_2_judges_at_the_last_bracket_reached():
    # max_iter 5, s 2, eta 2: brackets 5/4 and 5/2, cut to 1 and 2. All are at 2 or past it.
    # Bracket 2: 6 7 8 9 10; index floor(5 / 2) = 2: the threshold is 8.
    rule = Hyperband(max_iter=5, s=2, eta=2)
    assert rule.brackets(5) == (1, 2)
    assert stopped(rule, MAX_ITER) == "ab"


def test_max_iter_eta_3_strict_and_not():
    # max_iter 9, s 1, eta 3: bracket 3. There: a 7, b 5, c 2, d 6; sorted 2 5 6 7, index 1: 5.
    histories = {"a": [1, 6, 7], "b": [9, 7, 5], "c": [4, 3, 2], "d": [9, 8, 6]}
    rule = Hyperband(max_iter=9, s=1, eta=3)
    assert stopped(rule, histories) == "d"  # the best of a is 1
    assert stopped(Hyperband(max_iter=9, s=1, eta=3, strict=True), histories) == "ad"


def test_there_is_no_bracket_at_max_iter_itself():
    rule = Hyperband(max_iter=9, s=1, eta=3)
    histories = {"a": [5] * 9, "b": [5, 5, 5, *([1] * 6)]}
    assert stopped(rule, histories) == ""  # at 3 they were equal; at 9 nobody looks


def test_a_run_that_was_good_at_one_bracket_may_be_stopped_at_the_next():
    # Brackets 1 and 2, eta 2. At 2: 3 5 9; index 1: 5.
    histories = {"a": [1, 9], "b": [2, 5], "c": [3, 3]}
    assert stopped(Hyperband(min_iter=1, eta=2, strict=True), histories) == "a"


def test_runs_that_have_not_come_so_far_do_not_count():
    # At bracket 3 there are only a and b: floor(2 / 2) = 1: the threshold is the worse of them.
    histories = {"a": [4, 4, 4], "b": [5, 5, 5], "c": [1], "d": [1, 1]}
    assert stopped(Hyperband(min_iter=3, eta=2), histories) == ""


MAXIMIZE = {"a": [0.2, 0.9], "b": [0.6, 0.3], "c": [0.1, 0.5], "d": [0.1, 0.4]}


def test_maximize_turns_everything_round():
    # Bracket 2, the best first: 0.9 0.5 0.4 0.3; eta 2: index 2: 0.4. Bests: 0.9 0.6 0.5 0.4.
    assert stopped(Hyperband(min_iter=2, eta=2), MAXIMIZE, "maximize") == ""
    # Strict: b is at 0.3 there.
    assert stopped(Hyperband(min_iter=2, eta=2, strict=True), MAXIMIZE, "maximize") == "b"
    # eta 3: index 1: 0.5; the best of d is 0.4.
    assert stopped(Hyperband(min_iter=2, eta=3), MAXIMIZE, "maximize") == "d"
    told = Hyperband(min_iter=2, eta=3).judge(
        MAXIMIZE["d"], [MAXIMIZE[n] for n in "abc"], "maximize"
    )
    assert told == "log 2: 0.4 is worse than 0.5, among 4 runs"


def test_maximize_with_max_iter_eta_3():
    # max_iter 6, s 1, eta 3: bracket 2. Strict: 0.9 0.5 0.4 0.3; index floor(4 / 3) = 1: 0.5.
    rule = Hyperband(max_iter=6, s=1, eta=3, strict=True)
    assert stopped(rule, MAXIMIZE, "maximize") == "bd"


@pytest.mark.parametrize("nothing", [None, NAN, INF, -INF])
def test_a_log_without_a_finite_value_is_no_log(nothing):
    rule = Hyperband(min_iter=2, eta=2, strict=True)
    # a has logged once, so it is not judged yet.
    assert rule.judge([9, nothing], [[1, 1]], "minimize") == ""
    # Its second value is the third entry: 5, against 1 and 3: index floor(3 / 2) = 1: 3.
    told = rule.judge([9, nothing, 5], [[nothing, 7, 1], [2, nothing, nothing, 3]], "minimize")
    assert told == "log 2: 5 is worse than 3, among 3 runs"


def test_runs_that_never_logged_do_not_count():
    assert not stops(Hyperband(min_iter=1, eta=2), [3], [[], [None, NAN]], "minimize")


def test_the_threshold_is_exact_where_one_over_eta_is_not():
    # 6 / 1.5 is 4, and (1 / 1.5) * 6 is less in floats: the threshold is the fifth of the six.
    told = Hyperband(min_iter=1, eta=1.5).judge([6], [[1], [2], [3], [4], [5]], "minimize")
    assert told == "log 1: 6 is worse than 5, among 6 runs"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Hyperband(min_iter=5), "hyperband, min_iter 5, eta 3"),
        (
            Hyperband(max_iter=27, s=2, eta=2, strict=True),
            "hyperband, max_iter 27, s 2, eta 2, strict",
        ),
    ],
)
def test_the_rule_is_told_in_the_words_of_the_file(rule, words):
    assert str(rule) == words
