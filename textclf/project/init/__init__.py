"""The command `textclf init`: settings for a table of the user's own."""
