"""The models: what they share, and one package per model.

A model imports no other model, so that a change of one retrains no other.
"""
