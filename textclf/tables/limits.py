"""How many rows are in memory at a time: at most one of these, but a single row may be longer."""

BLOCK_ROWS = 4096
BLOCK_BYTES = 2**25
