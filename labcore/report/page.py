"""From a template to one page that needs no network and obeys no script but its own."""

import base64
import functools
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labcore.report.wording import format_size

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

__all__ = ["render_page"]

_TEMPLATES = Path(__file__).parent / "templates"


def render_page(
    template: str,
    context: Mapping[str, Any],
    *,
    styles: Sequence[str],
    scripts: Sequence[str],
    folders: Sequence[Path] = (),
    extra_style: str = "",
) -> str:
    """Returns a page as text.

    Args:
        template: Name of a template that extends ``page.html.j2``.
        context: What the template shows; text is escaped.
        styles: Names of style sheets, put into the page in this order.
        scripts: Names of scripts, put into the page in this order.
        folders: Where to look for these files, before the report's own templates.
        extra_style: Rules of this page alone, after the style sheets.
    """
    from markupsafe import Markup

    environment = _environment((*folders, _TEMPLATES))
    style = "".join(_source(environment, name) for name in styles) + extra_style
    script = "".join(_source(environment, name) for name in scripts)
    return environment.get_template(template).render(
        **context,
        style=Markup(style),  # noqa: S704 - our own files, not data
        script=Markup(script),  # noqa: S704 - likewise
        style_hash=_csp_hash(style),
        script_hash=_csp_hash(script),
    )


@functools.cache
def _environment(folders: tuple[Path, ...]) -> "Environment":
    # Here, since every run imports this module at its start and needs the page only at its end.
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["size"] = format_size
    environment.filters["breakable"] = _breakable
    return environment


def _source(environment: "Environment", name: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def _breakable(name: str) -> "Markup":
    """Lets a long name wrap after its underscores and dots; still escaped."""
    from markupsafe import Markup, escape

    escaped = str(escape(name)).replace("_", "_<wbr>").replace(".", ".<wbr>")
    return Markup(escaped)  # noqa: S704  # escaped in the line above


def _csp_hash(text: str) -> str:
    """Names an inline style or script in the page's policy, so that no other one is obeyed."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
