"""Texts as the vectors of a pretrained sentence encoder, whose weights stay as they are."""
