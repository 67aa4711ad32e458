"""What runs Profuse elsewhere, and what is watched there."""
