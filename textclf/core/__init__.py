"""What every package uses: errors, files, settings, the stage runner, resources, processes and progress."""
