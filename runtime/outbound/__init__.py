"""The way out by HTTP, of launchers and hooks alike: what is sent is signed, and goes only where it may.

In: an address, a body, the secrets. Out: an answer, or whether anything can have arrived. Promise: the same id with each repeat.
"""
