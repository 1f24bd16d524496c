"""The command `textclf doctor`: what the machine and the environment have and lack."""
