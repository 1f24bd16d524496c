"""Other columns than the text as features."""
