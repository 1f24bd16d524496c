"""Texts as the ids of word pieces, the input of a pretrained transformer."""
