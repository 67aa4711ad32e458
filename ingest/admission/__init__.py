"""Who is let in: profiles in flight, bytes held, and each token's part of both.

In: what was measured of the backlog. Out: admission, or 429 with when to come again. Promise: no client fills the memory or the line.
"""
