"""Reading of labelled tables in several formats, row by row or in blocks."""
