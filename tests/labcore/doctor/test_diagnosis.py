"""Putting checks to a machine, and what becomes of a check that breaks."""

import pytest

from labcore.doctor import Check, Finding, Machine, diagnose
from labcore.doctor.finding import failure, ok, unknown, warning


def check(name: str, ask, **options) -> Check:
    return Check(id=name, area="system", title="a thing", ask=ask, **options)


def test_findings_carry_the_id_of_their_check_and_keep_its_order() -> None:
    checks = [check("b", lambda _: [ok("one"), ok("two")]), check("a", lambda _: [ok("three")])]
    found = diagnose(Machine(origin="here"), checks)
    assert [(each.check, each.summary) for each in found] == [
        ("b", "one"),
        ("b", "two"),
        ("a", "three"),
    ]


def test_a_check_that_raises_is_a_finding_and_does_not_stop_the_others() -> None:
    def breaks(_):
        yield warning("seen before", cause="c", fix="f")
        raise KeyError("gone")

    found = diagnose(
        Machine(origin="here"), [check("bad", breaks), check("good", lambda _: [ok("x")])]
    )
    assert [each.state for each in found] == ["warning", "unknown", "ok"]
    assert "the check itself failed" in found[1].summary
    assert "KeyError: 'gone'" in found[1].cause


def test_a_check_is_not_asked_without_the_facts_that_it_needs() -> None:
    def never(_):
        raise AssertionError("asked")

    needing = check("p", never, needs=("packages", "cards"))
    [found] = diagnose(Machine(origin="report", cards=()), [needing])
    assert (found.state, found.summary) == ("unknown", "a thing: packages not known")


def test_a_finding_of_another_id_is_left_as_it_is() -> None:
    other = Finding(check="known-error", state="unknown", summary="?")
    assert diagnose(Machine(origin="here"), [check("a", lambda _: [other])]) == [other]


def test_a_failure_without_a_remedy_is_not_a_finding() -> None:
    with pytest.raises(ValueError, match="a failure says what mends it"):
        failure("broken", cause="somehow", fix="")


def test_evidence_that_is_not_known_is_left_out() -> None:
    assert unknown("?", driver=None, cards=[]).evidence == {"cards": []}
