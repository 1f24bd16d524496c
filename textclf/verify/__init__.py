"""Where a model comes from: its files, its signature, its training again, its releases."""
