"""``lab sweep`` and its sub-commands."""
