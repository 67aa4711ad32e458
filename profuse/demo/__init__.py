"""What `make up` shows: two requests on their way through a running stack."""
