"""In: `profuse.imports`, one profile per message.
Out: profiles and results in Postgres, `profuse.matches`.
Promise: each message changes Postgres exactly once, in order per match value.
"""
