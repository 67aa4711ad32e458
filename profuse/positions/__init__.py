"""Where workers go on in each partition, from the operator's side: seen, and moved after the topics or the database were changed.

`standing`   pure: what a row and the broker say of a partition together
`planning`   pure: what a move would do, and what it would skip, repeat or give up
`broker`     what the broker says
`looking`    both servers asked at once
`moving`     the one transaction that moves positions
`restoring`  goes on after the database was restored from a dump that is older than the topics
"""
