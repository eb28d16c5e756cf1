"""From a composed config to the typed object that a task sees, with every problem found."""

from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Any

from labcore.config.schema import post_inits

if TYPE_CHECKING:
    from omegaconf import DictConfig

__all__ = ["to_typed"]


def to_typed(cfg: "DictConfig") -> tuple[Any, list[str]]:
    """Builds the dataclass instances of a config and runs their checks.

    ``OmegaConf.to_object`` stops at the first ``__post_init__`` that raises; here they all run.

    Args:
        cfg: A config whose root is a structured one.

    Returns:
        The object (to be used only when there is no problem), and what is wrong.
    """
    problems: list[str] = []
    return _build(cfg, "", problems), problems


def _build(node: "DictConfig", path: str, problems: list[str]) -> Any:
    from omegaconf import DictConfig, OmegaConf
    from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

    cls: Any = OmegaConf.get_type(node)
    # The checks are run one by one below, so the instance is made without its __init__.
    instance = cls.__new__(cls)
    found_before = len(problems)
    for key in node:
        name = str(key)
        inner = f"{path}.{name}" if path else name
        try:
            value = node[key]
            if not _keeps_its_parts(node._get_node(key), value):
                problems.append(f"{inner} has parts of its own: it cannot refer to {value!r}")
                continue
            if isinstance(value, DictConfig) and _is_structured(value):
                value = _build(value, inner, problems)
            elif OmegaConf.is_config(value):
                value = OmegaConf.to_object(value)
        except MissingMandatoryValue:
            problems.append(f"{inner} must be given: add {inner}=VALUE")
            continue
        except (OmegaConfBaseException, ValueError) as error:
            problems.append(_at(inner, str(error)))
            continue
        setattr(instance, name, value)
    for check in post_inits(cls):
        sure = len(problems) == found_before
        problems.extend(_refusals(check, instance, path, sure=sure))
    return instance


def _keeps_its_parts(node: Any, value: Any) -> bool:
    """Whether a section, list or mapping that refers to another value refers to one of its kind."""
    from omegaconf import OmegaConf

    if value is None or not OmegaConf.is_config(node) or not node._is_interpolation():
        return True
    section = node._metadata.ref_type
    is_section = isinstance(section, type) and is_dataclass(section)
    return type(value) is type(node) and (
        not is_section or issubclass(OmegaConf.get_type(value) or object, section)
    )


def _refusals(
    check: Callable[[Any], None], instance: Any, path: str, *, sure: bool
) -> Iterator[str]:
    """Runs a check; unless it is sure that what it reads is there and right, it may trip."""
    try:
        check(instance)
    except (ValueError, OverflowError) as error:
        yield _at(path, str(error))
    except Exception:
        if sure:
            raise


def _is_structured(node: "DictConfig") -> bool:
    from omegaconf import OmegaConf

    return is_dataclass(OmegaConf.get_type(node))


def _at(path: str, message: str) -> str:
    """Says where a problem is, unless the message does."""
    message = message.splitlines()[0] if message else "is refused"
    return message if not path or path in message else f"{path}: {message}"
