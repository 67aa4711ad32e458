"""SQL that more than one room or door needs, on connections that they bring.

In: what they decided. Out: rows. Promise: one meaning of each, wherever it is asked for.
"""
