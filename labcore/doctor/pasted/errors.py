"""From the known errors in a text to findings: the root first, what follows from it folded in."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from labcore.doctor.finding import Finding
from labcore.doctor.machine import Machine
from labcore.doctor.pasted.fields import Fields, fill
from labcore.doctor.pasted.known import Match, search
from labcore.doctor.pasted.places import places_of, worded_for
from labcore.doctor.pasted.text import Pasted, clean, shortened
from labcore.doctor.pasted.unread import unknown_errors, unread_lines

__all__ = ["ONLY_WRAPPERS", "UNKNOWN_ERROR", "find_errors", "known_in"]

UNKNOWN_ERROR = "unknown-error"
"""Id of the finding for an error that the doctor does not know."""
ONLY_WRAPPERS = "cause-not-in-text"
"""Id of the finding for a text that says that something failed and not why."""


def find_errors(pasted: Pasted, machine: Machine) -> tuple[list[Finding], tuple[str, ...]]:
    """Finds what went wrong in a text.

    Args:
        pasted: The text.
        machine: What is known of the machine, to be specific.

    Returns:
        A finding for each thing, the root cause first and what is harmless last; and, when no
        failure was recognised, the lines that look like one.
    """
    places = places_of(pasted.text, machine)

    def told(match: Match, folded: Sequence[Match] = ()) -> Finding:
        return _finding(match, pasted, Fields(machine, match.groups, places), folded)

    matches = search(pasted, places=places)
    wrappers = [match for match in matches if match.error.wrapper]
    real = [match for match in matches if not match.error.wrapper]
    roots, folded = _fold([match for match in real if match.error.state != "ok"])
    findings = [told(match, folded[match.error.id]) for match in _one_for_a_line(roots, pasted)]
    findings += [
        Finding(
            check=UNKNOWN_ERROR,
            state="unknown",
            summary=f"this text holds an error that the doctor does not know: {shortened(line)}",
            cause="It is in none of the known texts, so nothing is said of its cause. The lines "
            "just above it say more than the last one.",
            evidence=_where(start, pasted),
        )
        for start, line in unknown_errors(pasted, matches)
    ]
    findings.sort(key=lambda finding: int(finding.evidence["line"]))
    if not findings and wrappers:
        where = _where(wrappers[-1].start, pasted)
        text = f"this text says that something failed, and not why: {where['text']}"
        only = told(wrappers[-1])
        findings.append(
            replace(only, check=ONLY_WRAPPERS, state="unknown", summary=text, evidence=where)
        )
    harmless = [match for match in real if match.error.state == "ok"]
    is_bad = any(finding.is_problem for finding in findings)
    findings += [told(match) for match in harmless]
    return findings, () if is_bad else unread_lines(pasted, harmless)


def known_in(text: str, machine: Machine) -> Finding | None:
    """Returns what the first known error of a short text means; None when there is none."""
    findings, _ = find_errors(clean(text), machine)
    return next((finding for finding in findings if finding.is_problem), None)


def _finding(match: Match, pasted: Pasted, fields: Fields, folded: Sequence[Match]) -> Finding:
    """Returns the finding for a known error, with the machine's own versions in it."""
    error = match.error
    evidence: dict[str, Any] = _where(match.start, pasted)
    if match.count > 1:
        evidence["times"] = match.count
    if folded:
        evidence["also"] = [
            f"line {pasted.line_number(each.start)}: {shortened(pasted.line(each.start))}"
            for each in folded
        ]
    return Finding(
        check=error.id,
        state=error.state,
        summary=fill(error.summary, fields),
        cause=fill(error.cause, fields),
        fix=worded_for(fill(error.fix, fields), fields.places),
        evidence=evidence,
        sources=error.sources,
    )


def _fold(matches: Sequence[Match]) -> tuple[list[Match], Mapping[str, list[Match]]]:
    """Parts errors into roots and, by root, those that are a mere consequence of it."""
    present = {match.error.id: match for match in matches}
    folded: dict[str, list[Match]] = {match.error.id: [] for match in matches}
    roots: list[Match] = []
    for match in matches:
        causes = [present[name] for name in match.error.after if name in present]
        if causes:
            first = min(causes, key=lambda cause: cause.start)
            folded[first.error.id].append(match)
        else:
            roots.append(match)
    for root in roots:  # a consequence of a consequence belongs to the root
        for each in folded[root.error.id]:
            folded[root.error.id] += [m for m in folded[each.error.id] if m is not root]
    # Errors before warnings of the same text; among equals the first one first.
    roots.sort(key=lambda match: (match.start, match.error.state != "failure"))
    return roots, folded


def _one_for_a_line(roots: Sequence[Match], pasted: Pasted) -> list[Match]:
    """Keeps the first error of each line: a second name for the same thing only confuses."""
    kept: list[Match] = []
    taken: set[int] = set()
    for match in roots:
        lines = {pasted.line_number(match.start), pasted.line_number(match.end - 1)}
        if not lines & taken:
            kept.append(match)
        taken |= lines
    return kept


def _where(offset: int, pasted: Pasted) -> dict[str, Any]:
    return {"line": pasted.line_number(offset), "text": shortened(pasted.line(offset))}
