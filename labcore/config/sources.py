"""Config files in which a section may be a lone word: ``device: cuda`` for its ``name: cuda``.

Hydra merges every file into the typed schema, where a word in the place of a section is an error;
so the word is written in full when the file is read.
"""

from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra.core.plugins import Plugins
from hydra.plugins.config_source import ConfigResult
from omegaconf import OmegaConf

from labcore.config.session import SCHEME
from labcore.config.shorthand import expand_tree

__all__ = ["LabFiles"]


class LabFiles(FileConfigSource):
    """A folder of config files."""

    @staticmethod
    def scheme() -> str:
        """Returns the scheme of its URLs."""
        return SCHEME

    def load_config(self, config_path: str) -> ConfigResult:
        """Reads a file."""
        result = super().load_config(config_path)
        # Only there do the file's keys stand at the top of the composed config.
        if "/" not in config_path or result.header.get("package") == "_global_":
            tree = OmegaConf.to_container(result.config)
            if isinstance(tree, dict):
                result.config = OmegaConf.create(expand_tree(tree))
        return result


Plugins.instance().register(LabFiles)
