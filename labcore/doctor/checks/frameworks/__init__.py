"""Checks of the frameworks, and of what compiles extensions for them."""
