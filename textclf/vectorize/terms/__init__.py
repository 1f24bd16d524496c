"""Texts as sparse vectors of words and character n-grams."""
