"""The commands that run one stage: `textclf report`, `audit`, `search`, `crossvalidate` and `learning-curve`."""
