"""The page that holds all of a run."""
