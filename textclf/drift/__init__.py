"""Drift: whether new texts without labels are like those of the data, for `textclf drift`."""
