"""Checkpoints: written whole, checked when read, few of them kept."""
