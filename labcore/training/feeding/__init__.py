"""Where the loop's batches come from, in an order that a resumed run finds again."""
