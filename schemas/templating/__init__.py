"""Templates: read once, refused where they are wrong, and filled for each launch.

In: a text with placeholders and conditions, and what these may name. Out: a text of bounded size. Promise: nothing is evaluated.
"""
