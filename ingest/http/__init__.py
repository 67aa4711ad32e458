"""From a connection to a call: bytes are bounded, unpacked, scanned and cut into spans before anything is built of them.

In: HTTP. Out: calls, and answers as responses. Promise: no input costs more memory than it was given, and none is answered 500.
"""
