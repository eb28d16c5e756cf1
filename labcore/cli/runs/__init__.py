"""``lab run`` and what is done with runs."""
