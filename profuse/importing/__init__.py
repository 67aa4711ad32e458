"""`profuse import`: a file of profiles, read row by row, sent by the client, with what failed in a file of its own.

`opening` finds out what the file is and gives a `Table`; `mapping` and `values` make profiles of its rows; `running` sends them.
"""
