"""From accepted batches to records that the broker has confirmed.

In: records by partition. Out: `profuse.imports`. Promise: what was accepted is published in order, tokens taking turns.
"""
