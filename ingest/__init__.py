"""In: HTTP requests with up to 100,000 profiles.
Out: `profuse.imports`, one message per profile, and one answer per item.
Promise: an answer means that the broker has every item, and a Request-ID is run once.
"""
