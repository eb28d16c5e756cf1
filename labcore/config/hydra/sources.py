"""Config files as people write them.

A section may be a lone word, ``device: cuda`` for its ``name: cuda``: Hydra merges every file into
the typed schema, where that is an error, so the word is written in full when the file is read. And
a preset's keys are the run's options, whether or not its first line says ``@package _global_``.
"""

from typing import ClassVar

from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra.core.plugins import Plugins
from hydra.plugins.config_source import ConfigResult
from omegaconf import OmegaConf

from labcore.config.hydra.groups import PRESET, SCHEME
from labcore.config.root import WORDS, expand_tree

__all__ = ["LabFiles"]


class LabFiles(FileConfigSource):
    """A folder of config files.

    Attributes:
        words: Sections for which a lone word may stand, of the plugin that is composed.
    """

    words: ClassVar[frozenset[str]] = WORDS

    @staticmethod
    def scheme() -> str:
        """Returns the scheme of its URLs."""
        return SCHEME

    def load_config(self, config_path: str) -> ConfigResult:
        """Reads a file."""
        result = super().load_config(config_path)
        if config_path.startswith(f"{PRESET}/") and result.header.get("package") is None:
            result.header["package"] = "_global_"
        # Only there do the file's keys stand at the top of the composed config.
        if "/" not in config_path or result.header.get("package") == "_global_":
            tree = OmegaConf.to_container(result.config)
            if isinstance(tree, dict):
                result.config = OmegaConf.create(expand_tree(tree, self.words))
        return result


Plugins.instance().register(LabFiles)
