"""What passes between stages: splits, features, predictions, models as layers, decisions."""
