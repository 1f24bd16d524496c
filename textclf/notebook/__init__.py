"""The results of a run in Python: `textclf.open`. Nothing here writes a file."""
