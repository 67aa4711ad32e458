"""What can be done by the console: counted first, done in the background, and logged."""
