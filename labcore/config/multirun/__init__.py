"""Several runs of one command line (``-m``), as Hydra makes and launches them."""
