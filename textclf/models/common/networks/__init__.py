"""What all networks that Keras trains share; their training is in `training`."""
