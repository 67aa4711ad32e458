"""Two more accounts on the tortured stack: a hostile one, and a polite one that must not notice it.

Each sends from a process of its own, so that neither waits for the other's loop.
"""
