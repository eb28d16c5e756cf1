"""Checks of the deep tier: what came of using each framework for real."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from labcore.doctor.check import Check
from labcore.doctor.finding import Finding, ok, say, unknown, warning
from labcore.doctor.machine import Machine
from labcore.doctor.probes import PROBES, Probe

__all__ = ["CHECKS"]

_TAIL_LINES = 6
"""Lines of a child's output that are shown as evidence."""


def _judge(probe: Probe, machine: Machine) -> Finding | None:
    result: Mapping[str, Any] | None = machine.probes.get(probe.name)
    if result is None:
        return None
    seconds, outcome = result.get("seconds"), result["outcome"]
    if outcome == "ok":
        told = result["result"]
        return ok(_in_words(probe, told), **{**told, "seconds": seconds})
    if outcome == "missing":
        packages = ", ".join(result["packages"])
        return unknown(f"{probe.title}: not tried, {packages} is not installed")
    if outcome == "skipped":
        return unknown(f"{probe.title}: not tried, {result['reason']}")
    if result.get("finished") == "ok":
        return warning(
            f"{probe.title}: it does, and the process then {_end(result)}",
            cause="The work was done; what crashed is the clearing up of the libraries at the end.",
            fix="harmless for results; in programs that end so, call os._exit(0) after saving",
            seconds=seconds,
            output=_tail(result),
        )
    return _broken(probe, result, machine)


def _broken(probe: Probe, result: Mapping[str, Any], machine: Machine) -> Finding:
    """A probe that did not do its work: with what is known of its error, where it is known."""
    from labcore.doctor.pasted import known_in

    error = str(result.get("error") or f"the process {_end(result)}")
    known = known_in(f"{result.get('output', '')}\n{error}", machine)
    return say(
        probe.worst,
        f"{probe.bad}: {known.summary if known else error}",
        cause=known.cause if known else _meaning(result),
        fix=known.fix if known else probe.fix,
        sources=known.sources if known else (),
        error=error,
        known=known.check if known else None,
        output=_tail(result),
        seconds=result.get("seconds"),
    )


def _end(result: Mapping[str, Any]) -> str:
    """How the process ended, as the rest of a sentence."""
    if result["outcome"] == "timeout":
        return f"hung and was ended after {result.get('seconds', 0):.0f} s"
    if "signal" in result:
        return f"crashed ({result['signal']})"
    return f"ended with exit code {result.get('exit_code')}"


def _meaning(result: Mapping[str, Any]) -> str:
    if result["outcome"] == "timeout":
        return "The stack at that moment is at the end of its output (-v shows it)."
    if result.get("signal") == "SIGKILL":
        return "The system ended it, most often because memory was full (dmesg says so)."
    if result["outcome"] == "crashed":
        return "A compiled library crashed; its stack is at the end of its output (-v shows it)."
    if result["outcome"] == "wrong":
        return "The computation ran and its result is wrong."
    return "This error is none of those that the doctor knows (-v shows the child's last lines)."


def _tail(result: Mapping[str, Any]) -> list[str] | None:
    lines = [line for line in str(result.get("output", "")).splitlines() if line.strip()]
    return lines[-_TAIL_LINES:] or None


def _in_words(probe: Probe, result: Mapping[str, Any]) -> str:
    if not isinstance(probe.good, str):
        return probe.good(result)
    lists = {
        name: ", ".join(each) for name, each in result.items() if isinstance(each, list | dict)
    }
    return probe.good.format(**{**result, **lists})


CHECKS = tuple(
    Check(id=each.check, area=each.area, title=each.title, ask=partial(_judge, each), deep=True)
    for each in PROBES.values()
)
