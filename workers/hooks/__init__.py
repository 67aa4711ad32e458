"""In: `profuse.events`.
Out: signed POSTs to the hooks of each event's account, JSON arrays of events as they stand in the topic.
Promise: in the topic's order per partition, at least once, and no hook waits for another one.

`room`       what runs in a process
`hosting`    which couriers there are: one for each hook and partition of ours
`courier`    one hook's way through one partition: choose, note, post, move on
`supply`     where its events come from: the window that all share, or a read of its own
`window`     pure: the newest events of a partition, bounded in bytes
`newest`     reads each partition's end once for all hooks
`reading`    reads whatever a hook that fell behind asks for
`choosing`   pure: which events are the next batch, and what it is called
`retries`    pure: what an answer means, and when to try again
`budget`     how many bytes are under way
`events`     what records say, and which of them cost themselves alone
`declared`   SQL: the hooks as they are now
`positions`  SQL: where they stand, under a fence
`model`      the words of the above
"""
