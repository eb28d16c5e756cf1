"""Where W&B's server is and who we are there, told without importing wandb.

The same places are looked at as by wandb itself: the environment, the settings file that
``wandb login --host`` writes, and netrc.
"""

import configparser
import netrc
import os
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlparse

__all__ = ["base_url", "has_credentials", "is_logged_in"]

_PUBLIC = "https://api.wandb.ai"


def base_url() -> str:
    """Returns the server's address, without a slash at its end."""
    return (os.environ.get("WANDB_BASE_URL") or _saved_url() or _PUBLIC).rstrip("/")


def has_credentials() -> bool:
    """Whether W&B would find an API key for :func:`base_url`."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    host = urlparse(base_url()).hostname
    path = os.environ.get("NETRC") or Path.home() / ("_netrc" if os.name == "nt" else ".netrc")
    try:
        return host is not None and netrc.netrc(path).authenticators(host) is not None
    except (OSError, netrc.NetrcParseError):
        return False


def is_logged_in() -> bool:
    """Whether sweeps can be W&B's: wandb is installed, not switched off, and has an API key."""
    is_off = os.environ.get("WANDB_MODE", "online") in {"offline", "disabled", "dryrun"}
    return not is_off and has_credentials() and find_spec("wandb") is not None


def _saved_url() -> str | None:
    folder = os.environ.get("WANDB_CONFIG_DIR") or Path.home() / ".config" / "wandb"
    settings = configparser.ConfigParser(interpolation=None)
    try:
        settings.read(Path(folder) / "settings", encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return None
    return settings.get("default", "base_url", fallback=None)
