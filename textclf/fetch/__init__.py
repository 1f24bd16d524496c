"""The built-in corpora and their download."""
