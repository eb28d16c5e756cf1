"""What several experiments use and the runner does not: each module is imported by its name."""
