"""In: `profuse.matches`, the matched ids of a chunk.
Out: durable launches, messages of every channel, `profuse.events`.
Promise: one launch per item and trigger, never early, none forgotten.
"""
