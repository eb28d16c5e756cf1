"""What this machine has: GPUs by the word of their driver, cores, and who has assigned them."""
