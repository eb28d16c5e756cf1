"""The ``lab`` command: one small module per sub-command, parsing and printing only."""
