"""A claimed group, from its first page to its last mark.

In: a group under a lease. Out: an outcome per launch, marked and told. Promise: what goes wrong in one launch is that launch's own end.
"""
