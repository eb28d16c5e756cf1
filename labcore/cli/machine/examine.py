"""``lab doctor``: what is wrong with this machine."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console

from labcore.cli.machine.entries import print_findings, print_json
from labcore.discovery import FoundPlugin, find_plugins, pick_plugin
from labcore.doctor import STATES, Check, Finding, Machine, counted, diagnose
from labcore.doctor.checks import all_checks
from labcore.doctor.gather import gather_here
from labcore.doctor.plugin_needs import areas_of, plugin_checks, stops
from labcore.doctor.probes import PROBES, run_probes
from labcore.doctor.share import to_report
from labcore.errors import RequirementError, RunFailed, UsageError, nearest, suggestion

__all__ = ["SCHEMA", "examine"]

SCHEMA = "lab-doctor/1"
"""Of ``--json``; the number changes when a field changes its meaning or goes."""


def examine(
    verbose: bool,
    as_json: bool,
    deep: bool,
    plugin_name: str | None,
    only: Sequence[str],
    report: str | None,
) -> int:
    """Looks at this machine and prints the page, the JSON or the report.

    Args:
        verbose: Whether to show every check and what it rests on.
        as_json: Whether to print JSON for scripts.
        deep: Whether to try the frameworks too.
        plugin_name: Makes the checks that concern this plugin.
        only: Ids of the checks to make; all when empty.
        report: File for the report to paste; ``-`` is standard output, None makes none.

    Returns:
        3 when something is broken; with a plugin, when that keeps the plugin from running; else 0.
    """
    start = time.perf_counter()
    found, plugin = None, None
    if plugin_name is not None:
        plugins = find_plugins()
        # One that is broken is not an error here, but what the doctor has to tell about.
        found = plugins.get(plugin_name) or pick_plugin(plugins, plugin_name)
        plugin = found.plugin
    checks = _chosen(only, found, deep=deep)
    machine = gather_here()
    deep_checks = [check for check in checks if check.deep]
    if deep_checks:
        machine = replace(machine, probes=_probe(deep_checks))
    findings = diagnose(machine, checks)
    areas = {check.id: check.area for check in checks}
    is_bad = any(
        each.state == "failure" if plugin is None else stops(plugin, areas[each.check], each)
        for each in findings
    )
    code = RequirementError.exit_code if is_bad else 0
    if report is not None:
        _write_report(machine, findings, report)
    elif as_json:
        print_json(
            findings,
            {check.id: (check.area, check.title) for check in checks},
            machine,
            schema=SCHEMA,
            exit_code=code,
            plugin=plugin_name,
            counts={state: sum(each.state == state for each in findings) for state in STATES},
        )
    else:
        problems = counted(findings, "failure", "warning") or "no problem"
        made = len({finding.check for finding in findings})
        seconds = time.perf_counter() - start
        heading = f"{problems} in {made} checks that apply here, of {len(checks)} ({seconds:.1f} s)"
        print_findings(findings, checks=checks, verbose=verbose or bool(only), heading=heading)
        if plugin_name is not None:
            click.echo(f"\n{plugin_name} {'cannot' if code else 'can'} run here.")
        elif not (verbose or only):
            more = "" if deep else "; --deep tries the frameworks"
            click.echo(f"\nlab doctor -v shows every check{more}; --report makes a block to paste.")
    return code


def _chosen(only: Sequence[str], found: FoundPlugin | None, *, deep: bool) -> Sequence[Check]:
    """Returns the checks to make: those that are named, or that concern a plugin, or all."""
    checks: Sequence[Check] = all_checks()
    if only:
        known = {check.id: check for check in checks}
        problems = []
        for name in only:
            if name not in known:
                hint = suggestion(nearest(name, known))
                problems.append(f"there is no check {name!r}" + (f"; {hint}" if hint else ""))
        if problems:
            raise UsageError("which check?", problems=problems, fix="lab doctor --list shows them")
        checks = [known[name] for name in dict.fromkeys(only)]
    elif not deep:
        checks = [check for check in checks if not check.deep]
    if found is None:
        return checks
    areas = areas_of(found.plugin) if found.plugin is not None else ()
    return [*plugin_checks(found), *(check for check in checks if check.area in areas)]


def _probe(checks: Sequence[Check]) -> Mapping[str, Mapping[str, object]]:
    """Runs the probes that the checks read; says on stderr which one, when somebody looks."""
    wanted = {check.id for check in checks}
    names = [name for name, probe in PROBES.items() if probe.check in wanted]
    console = Console(stderr=True)
    if not console.is_terminal:
        return run_probes(names)
    with console.status("starting") as status:
        return run_probes(names, on_start=lambda probe: status.update(f"trying: {probe.title}"))


def _write_report(machine: Machine, findings: Sequence[Finding], target: str) -> None:
    text = to_report(machine, findings)
    if target == "-":
        click.echo(text, nl=False)
        return
    try:
        Path(target).write_text(text, encoding="utf-8")
    except OSError as error:
        raise RunFailed(
            f"{target} cannot be written: {error.strerror}", fix="name another file: --report FILE"
        ) from error
    click.echo(f"{target}: paste it into the issue. Home folders, names and secrets are left out.")
