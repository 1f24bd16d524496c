"""Metrics, intervals, comparisons and curves, from predictions alone."""
