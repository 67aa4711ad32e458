"""In: `profuse.matches`, the matched ids of a chunk.
Out: durable launches, mail, `profuse.events`.
Promise: one launch per item and trigger, never early, none forgotten.
"""
