"""Labelled tables of any format, read exactly."""
