"""The ways out of the house: what each has to offer is in `channel`, and each has a folder of its own.

In: a launch with its recipient. Out: a message that the world has taken, or whose fault it is that it has not.
"""
