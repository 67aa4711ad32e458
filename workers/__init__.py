"""The three rooms behind the broker, and what they have in common.

`matcher`, `launcher` and `hooks`: each says what goes in, what comes out and what it promises
`exactly_once`  the one place where exactly-once is kept
`retention`     deletes what is over
"""
