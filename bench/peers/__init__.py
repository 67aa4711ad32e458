"""What others would build, as simply as they would: each does the same work as ours, without our promises."""
