"""Text messages, push messages and webhooks, as signed POSTs to an account's provider: `messages` composes, `posting` delivers.

In: a launch with its recipient. Out: an answer of the provider, or whose fault it is that there is none. Promise: one id for all attempts.
"""
