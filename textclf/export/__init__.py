"""What is handed on: the folder of each model with its card, and the run in plain words."""
