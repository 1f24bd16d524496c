"""The check of params.yaml before a run: the command `textclf check`, and what the stage check writes."""
