"""`profuse top`: what the processes do, from their own metrics."""
