"""A sweep, looked at before its first run starts."""

from collections.abc import Sequence
from pathlib import Path

from labcore.config.compose import compose
from labcore.config.overrides import Given
from labcore.config.request import diagnose, read_overrides_of, wrong_config
from labcore.config.session import open_session
from labcore.discovery import FoundPlugin
from labcore.errors import UsageError

__all__ = ["check_sweep"]


def check_sweep(
    found: FoundPlugin, overrides: Sequence[str], *, search_dirs: Sequence[Path] = ()
) -> list[Given]:
    """Checks every value of a sweep before its first run starts.

    Each value is composed once, with the first values of the other sweeps: a value that can never
    work is found, without composing every combination.

    Returns:
        The overrides, read.

    Raises:
        UsageError: Something is wrong; has every problem.
    """
    plugin, checker, given, problems = read_overrides_of(found, overrides, search_dirs)
    problems.extend(checker.check_names(given, sweeping=True))
    if problems:
        with open_session(plugin, checker.groups, []) as session:
            problems.extend(diagnose(session, checker, given, plugin, None, sweeping=True))
        raise wrong_config(plugin, problems)
    swept = [override for override in given if override.is_sweep and override.values()]
    intervals = [override for override in given if override.is_sweep and not override.values()]
    fixed = [o.text for o in given if not o.is_sweep and not o.key.startswith("hydra")]
    firsts = {override.key: _with_value(override, 0) for override in swept}
    combinations = [
        firsts,
        *(
            {**firsts, override.key: _with_value(override, index)}
            for override in swept
            for index in range(1, len(override.values()))
        ),
    ]
    for combination in combinations:
        problems.extend(_problems_of(found, [*fixed, *combination.values()], search_dirs))
    if problems and not intervals:
        raise wrong_config(plugin, problems)
    return given


def _problems_of(
    found: FoundPlugin, overrides: Sequence[str], search_dirs: Sequence[Path]
) -> tuple[str, ...]:
    try:
        compose(found, overrides, search_dirs=search_dirs)
    except UsageError as error:
        return error.problems
    return ()


def _with_value(override: Given, index: int) -> str:
    from hydra.core.override_parser.types import Transformer

    encoded = list(override.parsed.sweep_iterator(Transformer.encode))
    return f"{override.parsed.get_key_element()}={encoded[index]}"
