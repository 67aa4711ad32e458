"""What the C library does with memory that is free again."""

import ctypes
from contextlib import suppress

from schemas.settings import KIB

# From malloc.h.
_M_MMAP_THRESHOLD = -3
# Above what asyncio reads into, 256 KiB: each read would map its buffer, and unmap it.
_LARGE = 512 * KIB


def give_back_large_blocks() -> None:
    """Bodies come and go: glibc would keep ever larger ones for itself, until the process is several times what it holds."""
    # Other C libraries have no such switch.
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)
