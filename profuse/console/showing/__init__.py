"""How things are written on pages: nothing here asks anybody."""
