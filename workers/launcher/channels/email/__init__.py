"""E-mail by SMTP: `mail` composes, `smtp` delivers.

In: a launch with its recipient. Out: a mail that a server has taken, or whose fault it is that none has. Promise: its headers are ours.
"""
