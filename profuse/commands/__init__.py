"""The commands of `profuse`, a module per group."""
