"""Who holds which GPU: leases by the word of the kernel, and the queue for them."""
