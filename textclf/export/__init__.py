"""What is handed on of a trained model."""
