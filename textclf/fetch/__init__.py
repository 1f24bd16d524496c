"""The built-in corpora, and where their bytes come from."""
