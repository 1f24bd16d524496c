"""The command `textclf completion`."""
