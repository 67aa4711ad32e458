"""SQL of what the gateway reads and writes, and its connections to Postgres. It knows no HTTP: whatever it refuses has a name in `errors`.

In: decisions. Out: rows. Promise: no look-up leaves the account of its token.
"""
