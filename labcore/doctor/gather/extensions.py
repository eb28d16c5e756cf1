"""Whether compiled extensions of torch fit the torch beside them."""

import sys
from typing import Any

from labcore.doctor.gather.files import package_folder

__all__ = ["read_extensions"]

_PACKAGES = {"pytorch3d": "_C*.so", "torchvision": "_C*.so"}
"""Package to the glob of its compiled part."""


def read_extensions() -> dict[str, Any]:
    """Returns the compiled extensions that are installed; reads ELF, so on Linux only."""
    torch = package_folder("torch")
    if sys.platform != "linux" or torch is None:
        return {}
    folders = {name: folder for name in _PACKAGES if (folder := package_folder(name)) is not None}
    paths = [path for name, folder in folders.items() for path in folder.glob(_PACKAGES[name])]
    if not paths:
        return {"extensions": ()}
    from labcore.doctor.elf import inspect_extension  # its parser takes a tenth of a second

    libraries = sorted(path for path in (torch.parent / "nvidia").glob("*/lib") if path.is_dir())
    found = [inspect_extension(path, torch / "lib", libraries) for path in sorted(paths)]
    return {"extensions": tuple(found)}
