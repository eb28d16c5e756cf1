"""Hydra, set up to compose: its search path, files and groups, and what each brought."""
