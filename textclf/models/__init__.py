"""The models: what they share, and one package per model.

The package of a model imports no other model's, so that a change to it retrains no other model.
"""
