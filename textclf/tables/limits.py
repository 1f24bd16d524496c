"""How many rows are in memory at a time: at most one of these, but a single row may be longer."""

BLOCK_ROWS, BLOCK_BYTES = 4096, 2**25
