"""A sweep file: read with its places, checked as a whole, and against its plugin."""
