"""Checks of driver, cards and the kernels that run on them."""
