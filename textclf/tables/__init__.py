"""Reading of labelled tables in several formats, in batches."""
