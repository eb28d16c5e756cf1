"""A run's life, from composed config to finished folder; see :mod:`labcore.life.execute`."""
