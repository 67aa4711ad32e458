"""The operator's door: the command line, and the local stack that it can start."""
