"""What all networks that Keras trains share."""
