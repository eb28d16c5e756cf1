"""Putting checks to a machine. A check that breaks is a finding, never the end of the doctor."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace

from labcore.doctor.check import Check
from labcore.doctor.finding import Finding, unknown
from labcore.doctor.machine import Machine

__all__ = ["diagnose"]

log = logging.getLogger(__name__)


def diagnose(machine: Machine, checks: Iterable[Check]) -> list[Finding]:
    """Returns what the checks have to say about a machine, in their order.

    A check that does not apply says nothing. One that raises gives a finding of state ``unknown``
    with its error.
    """
    return [
        finding if finding.check else replace(finding, check=check.id)
        for check in checks
        for finding in _answers(machine, check)
    ]


def _answers(machine: Machine, check: Check) -> Iterator[Finding]:
    lacking = [name for name in check.needs if getattr(machine, name) is None]
    if lacking:
        facts = " and ".join(name.replace("_", " ") for name in lacking)
        yield unknown(f"{check.title}: {facts} not known", lacking=lacking)
        return
    try:
        yield from check.ask(machine)
    except Exception as error:  # whatever a check raises, the others still have something to say
        log.debug("check %s failed", check.id, exc_info=True)
        yield unknown(
            f"{check.title}: the check itself failed",
            cause=f"{type(error).__name__}: {error}; this is a fault of the doctor, not of the "
            "machine",
        )
