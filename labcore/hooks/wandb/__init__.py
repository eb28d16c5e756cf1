"""A run on Weights & Biases."""
