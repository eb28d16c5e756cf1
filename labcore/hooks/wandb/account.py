"""Where W&B's server is and who we are there, told without importing wandb.

The same places are looked at as by wandb itself: the environment, the settings file that
``wandb login --host`` writes, and netrc.
"""

import configparser
import netrc
import os
from pathlib import Path
from urllib.parse import urlparse

__all__ = ["api_key", "base_url", "has_credentials"]

_PUBLIC = "https://api.wandb.ai"


def base_url() -> str:
    """Returns the server's address, without a slash at its end."""
    return (os.environ.get("WANDB_BASE_URL") or _saved_url() or _PUBLIC).rstrip("/")


def api_key() -> str | None:
    """Returns the API key for :func:`base_url`, or None when nobody has logged in."""
    given = os.environ.get("WANDB_API_KEY")
    if given:
        return given
    host = urlparse(base_url()).hostname
    path = os.environ.get("NETRC") or Path.home() / ("_netrc" if os.name == "nt" else ".netrc")
    try:
        found = netrc.netrc(path).authenticators(host) if host else None
    except (OSError, netrc.NetrcParseError):
        return None
    return found[2] if found else None


def has_credentials() -> bool:
    """Whether W&B would find an API key."""
    return api_key() is not None


def _saved_url() -> str | None:
    folder = os.environ.get("WANDB_CONFIG_DIR") or Path.home() / ".config" / "wandb"
    settings = configparser.ConfigParser(interpolation=None)
    try:
        settings.read(Path(folder) / "settings", encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return None
    return settings.get("default", "base_url", fallback=None)
