"""The profiles that both sides store: five text fields, a unique e-mail."""

from dataclasses import dataclass

FIELDS = ("email", "_fname", "_lname", "_city", "_country")

Row = tuple[str, str, str, str, str]


@dataclass(frozen=True)
class Load:
    """What is stored first as all new, then again as all changed."""

    profiles: int
    per_request: int

    def once(self, requests: int) -> "Load":
        """As many as so many requests bring."""
        return Load(self.per_request * requests, self.per_request)

    def rows(self, take: str, version: int) -> list[Row]:
        """The same e-mails in each version of a take, and other text in every other field."""
        return [
            (
                f"user{number}.{take}@example.com",
                f"First{number}v{version}",
                f"Last{number}v{version}",
                f"City{number % 500}v{version}",
                f"v{version}",
            )
            for number in range(self.profiles)
        ]

    def requests(self, rows: list[Row]) -> list[list[Row]]:
        return [rows[at : at + self.per_request] for at in range(0, len(rows), self.per_request)]
