"""What every package uses: errors, files, settings, stage runner, resources, pools."""
