"""Texts as the means of static vectors of their word pieces."""
