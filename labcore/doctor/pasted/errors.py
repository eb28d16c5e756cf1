"""From the known errors in a text to findings: the root first, what follows from it folded in."""

from collections.abc import Mapping, Sequence
from typing import Any

from labcore.doctor.finding import Finding
from labcore.doctor.machine import Machine
from labcore.doctor.pasted.fields import Fields, fill
from labcore.doctor.pasted.known import Match, search
from labcore.doctor.pasted.places import places_of, worded_for
from labcore.doctor.pasted.text import Pasted, clean
from labcore.doctor.pasted.unknown import UnknownError, unknown_errors

__all__ = ["ONLY_WRAPPERS", "UNKNOWN_ERROR", "find_errors", "finding_for", "known_in"]

UNKNOWN_ERROR = "unknown-error"
"""Id of the finding for an error that the doctor does not know."""
ONLY_WRAPPERS = "cause-not-in-text"
"""Id of the finding for a text that says that something failed and not why."""
_LONGEST = 200


def find_errors(
    pasted: Pasted, machine: Machine, said_card: str | None = None
) -> tuple[Finding, ...]:
    """Returns a finding for each thing that went wrong in a text, the root cause first.

    Args:
        pasted: The text.
        machine: What is known of the machine, to be specific.
        said_card: A card that the text mentions.
    """
    places = places_of(pasted.text, machine)
    matches = search(pasted, places=places)
    real = [match for match in matches if not match.error.wrapper]
    bad = [match for match in real if match.error.state != "ok"]
    roots, folded = _fold(bad)
    roots = _one_for_a_line(roots, pasted)
    findings = [
        finding_for(
            match,
            pasted,
            machine,
            said_card=said_card,
            folded=folded[match.error.id],
            places=places,
        )
        for match in roots
    ]
    mysteries = unknown_errors(pasted, matches)
    findings += [_mystery(each, pasted) for each in mysteries]
    findings.sort(key=lambda finding: int(finding.evidence["line"]))
    wrappers = [match for match in matches if match.error.wrapper]
    if not findings and wrappers:
        findings.append(_only_wrappers(wrappers[-1], pasted, machine))
    harmless = [match for match in real if match.error.state == "ok"]
    return (*findings, *(finding_for(match, pasted, machine) for match in harmless))


def known_in(text: str, machine: Machine) -> Finding | None:
    """Returns what the first known error of a short text means; None when there is none."""
    pasted = clean(text)
    places = places_of(pasted.text, machine)
    bad = [
        match
        for match in search(pasted, places=places)
        if not match.error.wrapper and match.error.state != "ok"
    ]
    roots, _ = _fold(bad)
    return finding_for(roots[0], pasted, machine, places=places) if roots else None


def finding_for(
    match: Match,
    pasted: Pasted,
    machine: Machine,
    *,
    said_card: str | None = None,
    folded: Sequence[Match] = (),
    places: frozenset[str] = frozenset(),
) -> Finding:
    """Returns the finding for a known error, with the machine's own versions in it."""
    error = match.error
    fields = Fields(machine, match.groups, said_card, places)
    evidence: dict[str, Any] = _where(match.start, pasted)
    if match.count > 1:
        evidence["times"] = match.count
    if folded:
        evidence["also"] = [
            f"line {pasted.line_number(each.start)}: {_short(pasted.line(each.start))}"
            for each in folded
        ]
    return Finding(
        check=error.id,
        state=error.state,
        summary=fill(error.summary, fields),
        cause=fill(error.cause, fields),
        fix=worded_for(fill(error.fix, fields), places),
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


def _mystery(error: UnknownError, pasted: Pasted) -> Finding:
    return Finding(
        check=UNKNOWN_ERROR,
        state="unknown",
        summary=f"this text holds an error that the doctor does not know: {_short(error.text)}",
        cause="It is in none of the known texts, so nothing is said of its cause. The lines just "
        "above it say more than the last one.",
        evidence=_where(error.start, pasted),
    )


def _only_wrappers(match: Match, pasted: Pasted, machine: Machine) -> Finding:
    fields = Fields(machine, match.groups)
    return Finding(
        check=ONLY_WRAPPERS,
        state="unknown",
        summary="this text says that something failed, and not why: "
        + _short(pasted.line(match.start)),
        cause=fill(match.error.cause, fields),
        fix=fill(match.error.fix, fields),
        evidence=_where(match.start, pasted),
    )


def _where(offset: int, pasted: Pasted) -> dict[str, Any]:
    return {"line": pasted.line_number(offset), "text": _short(pasted.line(offset))}


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
