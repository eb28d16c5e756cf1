"""Where a sweep is on W&B's server."""

from dataclasses import dataclass
from urllib.parse import quote

from labcore.errors import UsageError
from labcore.hooks.wandb.account import base_url

__all__ = ["SweepAddress"]

_API, _PAGES = "https://api.wandb.ai", "https://wandb.ai"


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepAddress:
    """Names a sweep; ``str()`` gives what ``wandb agent`` takes."""

    entity: str
    """User or team."""
    project: str
    id: str

    def __str__(self) -> str:
        return f"{self.entity}/{self.project}/{self.id}"

    @classmethod
    def parse(cls, text: str) -> "SweepAddress":
        """Reads ``ENTITY/PROJECT/ID``.

        Raises:
            UsageError: The text has another form.
        """
        parts = text.split("/")
        if len(parts) != 3 or not all(parts):
            raise UsageError(
                f"{text!r} is no address of a W&B sweep",
                fix="write it as its page does: ENTITY/PROJECT/ID",
            )
        entity, project, sweep = parts
        return cls(entity=entity, project=project, id=sweep)

    @property
    def url(self) -> str:
        """Returns the address of the sweep's page."""
        server = base_url()
        pages = _PAGES if server == _API else server
        return f"{pages}/{quote(self.entity)}/{quote(self.project)}/sweeps/{quote(self.id)}"
