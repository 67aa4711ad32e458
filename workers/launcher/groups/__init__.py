"""Groups of launches as they are stored: durable timers that are claimed under a lease.

In: decisions. Out: rows. Promise: whoever lost the lease writes nothing.
"""
