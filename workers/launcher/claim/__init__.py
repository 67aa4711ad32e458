"""Which groups are due, and whose turn it is.

In: the table of launches. Out: groups under a lease, handed to `deliver`. Promise: none early, none forgotten, accounts in turns.
"""
