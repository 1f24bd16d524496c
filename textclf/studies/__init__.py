"""Models trained many times."""
