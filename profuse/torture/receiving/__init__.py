"""Whoever gets webhooks and events, in a process of its own.

Its `outlets` are what `apply` is told of it; `taking` is what runs there, and `noted` what it writes down; `apart` starts it.
"""
