"""The experiments, one folder a family. A new one is found because it is here."""
