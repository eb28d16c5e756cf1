"""The tasks of the musicvae plugin, one module each."""
