"""`profuse torture`: producers against a stack that is being broken, and what became of it beside what should have."""
