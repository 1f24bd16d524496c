"""What every package stands on: errors, files, settings, the stage runner, resources, processes and progress."""
