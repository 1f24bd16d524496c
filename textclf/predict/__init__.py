"""Trained models in use: `textclf predict` and `textclf.load`."""
