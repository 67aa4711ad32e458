"""What `make up` shows: requests on their way through a running stack, by every channel."""
