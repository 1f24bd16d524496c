"""The command `textclf grid`: one experiment of DVC per combination of settings."""
