"""``lab sweep FILE --dry-run``: what would be run, with the first trials' values."""

import shlex

import click

from labcore.cli.console import columns, printer
from labcore.cli.sweeps.words import parameters
from labcore.sweeps.folder import Settings
from labcore.sweeps.local.standing import limit_of, varying_of
from labcore.sweeps.overrides import as_overrides
from labcore.sweeps.prepare import Prepared, threads_of_each

__all__ = ["show_dry_run"]

_FIRST = 5


def show_dry_run(prepared: Prepared, settings: Settings, *, job: str = "") -> None:
    """Prints the plan of a sweep; starts nothing and leaves nothing.

    Args:
        prepared: The sweep, checked.
        settings: Of the sweep.
        job: The file of its first job, where there are jobs.
    """
    sweep = prepared.sweep
    limit = limit_of(sweep, settings.count)
    metric = "no metric" if sweep.metric is None else f"{sweep.metric.goal} {sweep.metric.name}"
    method = f"{sweep.method} ({settings.sampler})" if sweep.method == "bayes" else sweep.method
    engine = "W&B's server" if settings.engine == "wandb" else "this machine"
    rows = {
        "plugin": settings.plugin,
        "search": f"{method}, {metric}",
        "led by": engine,
        "trials": "no end: give run_cap or --count" if limit is None else str(limit),
        "trials run on": _where(settings),
        "at once": _at_once(prepared, settings),
        "every trial sets": " ".join(sweep.overrides) or "nothing",
        "early stop": _early_stop(prepared),
    }
    table = columns("", "", wrapped=1)
    for name, text in rows.items():
        table.add_row(name, text)
    with printer() as console:
        console.print(table, markup=False)
    if settings.engine == "local":
        _show_first(prepared, settings, limit)
    if job:
        click.echo(f"\nThe file of its job:\n\n{job.strip()}")
    click.echo("\nNothing was started: this is a dry run.")


def _where(settings: Settings) -> str:
    if settings.launcher == "slurm":
        return " ".join(["Slurm", *settings.slurm])
    if settings.launcher == "ray":
        return f"Ray at {settings.ray_address}" if settings.ray_address else "Ray, on this machine"
    return "this machine"


def _at_once(prepared: Prepared, settings: Settings) -> str:
    if not settings.agents:
        return "one for each GPU of the cluster, or for each machine with none"
    if settings.launcher == "slurm" or settings.ray_address:
        return str(settings.agents)
    return f"{settings.agents}, {threads_of_each(prepared, settings.agents)} threads each"


def _early_stop(prepared: Prepared) -> str:
    rule = prepared.sweep.early_terminate
    if rule is None:
        return "only of trials that diverge"
    brackets = ", ".join(map(str, rule.brackets(100)))
    return f"hyperband at logs {brackets} (eta {rule.eta:g}), and of trials that diverge"


def _show_first(prepared: Prepared, settings: Settings, limit: int | None) -> None:
    from labcore.sweeps.local.suggest import Suggester

    suggester = Suggester(prepared.sweep, seed=settings.seed)
    varying = varying_of(prepared.sweep)
    click.echo("\nThe first trials:")
    first: list[str] = []
    for number in range(min(_FIRST, limit or _FIRST)):
        suggestion = suggester.suggest(number, [])
        values = prepared.values_of(suggestion.values)
        click.echo(f"  {number}  {parameters(values, varying)}")
        first = first or [*prepared.overrides, *as_overrides(values)]
    click.echo(f"\nTrial 0 is: lab run {shlex.join(first)}")
