"""The two rooms behind the broker, and the one place where exactly-once is kept (`exactly_once`)."""
