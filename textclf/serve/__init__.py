"""Trained models as an HTTP service: `textclf serve`."""
