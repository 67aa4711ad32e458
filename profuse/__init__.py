"""The operator's door: the command line, and the local stack that it can start."""

import gc

# Before anything is imported. Objects die by their counts; looking for cycles among modules takes a tenth of a process's start, and
# among a chunk's or a request's many objects a third of a worker's time.
gc.set_threshold(50_000, 20, 100)
