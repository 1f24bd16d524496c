"""The command `textclf metrics`."""
