"""Slices of the test rows in which a model may be weak: by columns and by properties of texts."""
