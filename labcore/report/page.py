"""From a template to one page that needs no network and obeys no script but its own."""

import base64
import functools
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labcore.record.durations import format_duration
from labcore.report.wording import format_number, format_size, write_value

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

__all__ = ["render_page"]

_TEMPLATES = Path(__file__).parent / "templates"


def render_page(
    name: str,
    context: Mapping[str, Any],
    *,
    assets: Sequence[str] = (),
    folders: Sequence[Path] = (),
    extra_style: str = "",
) -> str:
    """Returns a page as text.

    Args:
        name: Of a template that extends ``page.html.j2``.
        context: What the template shows; text is escaped.
        assets: Style sheets and scripts that follow those of every page; those of the template's
            name when left out.
        folders: Where to look for these files, before the report's own templates.
        extra_style: Rules of this page alone, after the style sheets.
    """
    from markupsafe import Markup

    environment = _environment((*folders, _TEMPLATES))
    files = ("page.css", "page.js", *(assets or (f"{name}.css", f"{name}.js")))
    style, script = (
        "".join(_source(environment, file) for file in files if file.endswith(kind))
        for kind in (".css", ".js")
    )
    style += extra_style
    return environment.get_template(f"{name}.html.j2").render(
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
    environment.filters |= {
        "breakable": _breakable,
        "duration": format_duration,
        "number": format_number,
        "size": format_size,
        "written": write_value,
    }
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
