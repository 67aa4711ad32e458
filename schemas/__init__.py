"""The language of the rooms: what travels, what is stored, what a value may be.

Everything may import it; it imports nothing of ours and does no I/O but to read its settings.
"""
