"""The calls of the API: `registry` has a row for each, and names the file that answers it.

In: a call whose token is known. Out: an answer. Promise: one entry per item, in the order of the request.
"""
