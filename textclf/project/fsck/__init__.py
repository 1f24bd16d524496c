"""The check of a project's files against the checksums that DVC recorded."""
