"""The console: a process that shows the pipeline to who runs it, and does for them what the commands do.

It reads Postgres, and the metrics of the other processes; none of them waits for it, or knows of it.
"""
