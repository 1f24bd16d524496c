"""The models: what they share, and one package per model, which imports no other, so that no change retrains others."""
