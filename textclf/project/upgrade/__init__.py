"""The command `textclf upgrade`: bring a project to the installed version."""
