"""Why a whole request came to nothing; what is wrong with one item is a result instead."""


class ProfuseError(Exception):
    """Whatever this package raises of its own."""


class Refused(ProfuseError):
    """The server refused a request as a whole, and would refuse it again; `error_debug` names the parameter and says why.

    A run has a `run_id`, with which the next one is told what of this one is imported already.
    """

    def __init__(self, error: int, error_text: str, error_debug: str | None = None) -> None:
        super().__init__(f"{error} {error_text}" + (f": {error_debug}" if error_debug else ""))
        self.error = error
        self.error_text = error_text
        self.error_debug = error_debug
        self.run_id: str | None = None

    def __str__(self) -> str:
        return super().__str__() + (f" (run_id {self.run_id})" if self.run_id else "")


class GivenUp(ProfuseError):
    """Nothing moved for as long as the client is patient; the same `run_id` goes on later where this run ended."""

    def __init__(self, why: str, seconds: float, request_id: str | None) -> None:
        named = f" (Request-ID {request_id})" if request_id else ""
        super().__init__(f"given up after {seconds:.0f} s of trying{named}; the last was: {why}")
        self.why = why
        self.request_id = request_id

    @property
    def run_id(self) -> str | None:
        """What to give to the next run."""
        return None if self.request_id is None else self.request_id.rpartition("-")[0]
