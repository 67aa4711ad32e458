"""What accounts have configured: what may be said of each thing, whether it fits together, and how it is stored.

In: what a file or a request wants. Out: the changes that bring it about, or why it cannot be. Promise: the same rules at both doors.
"""
