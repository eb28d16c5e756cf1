"""Programs that throw damaged input at the project's readers: ``python -m tests.fuzz.NAME``."""
