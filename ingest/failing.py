"""What keeps a gateway from going on."""

PARTITIONS_CHANGED = "stop the gateways before partitions are added, and start them afterwards (docs/operations.md)"


class PartitionsChanged(Exception):
    """The imports topic has more or fewer partitions than this gateway was started with: keys would lose their order."""
