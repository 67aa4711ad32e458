"""Input that nobody would send: `make fuzz` runs it for a while, `make test` does not."""
