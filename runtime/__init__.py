"""What every process is made of, whatever its room: signals, health, logs, and the ways to both servers."""
