"""The ways out of the house, and the one that there is: e-mail by SMTP.

In: a launch with its recipient. Out: a message that the world has taken, or whose fault it is that it has not.
"""
