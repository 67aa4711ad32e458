"""What the other processes say of themselves, asked only while somebody looks."""
