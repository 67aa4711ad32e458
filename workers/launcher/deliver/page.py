"""A page of a group: its launches, as they are decided, and what became of them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from typing import NamedTuple

from workers.launcher.deliver import outcomes
from workers.launcher.deliver.endings import Endings, Held, PutOff
from workers.launcher.deliver.gates import Gate
from workers.launcher.deliver.looks import Looks
from workers.launcher.deliver.newest import Newest
from workers.launcher.deliver.paces import Limit, of_provider
from workers.launcher.deliver.profiles import merged
from workers.launcher.model import Campaign, Due, Launch, Outcome, Profile, Recipient


@dataclass
class Page:
    """What became of a group's launches so far, by their position in it; the others were not begun, or cut off."""

    due: InitVar[Sequence[Due]]
    # As it is now: it may be switched off while launches wait for a slot or their pace.
    campaign: Campaign
    # What its launches wait for before they are begun, as it is now, too.
    limits: Sequence[Limit]
    # Whether another launch may begin.
    open: Callable[[], bool]
    # The only way by which its launches may go, because they may have gone by it before.
    doubted: str | None = None
    # Profiles whose launches were taken back; None: they cannot be any more, as each was begun before.
    taken_back: frozenset[bytes] | None = frozenset()
    # What its profiles are by the time somebody who waited leaves; None: as they are in `due`.
    newest: Newest | None = None
    # To be waited for before any of its launches is attempted; None: nobody has to be told, or he knows.
    begins: Callable[[], Awaitable[None]] | None = None
    # Whether that is a wait for others, who may be to blame for what happened.
    is_suspect: bool = False
    # When its campaign, and what was taken back, were read.
    looks: Looks = field(default_factory=Looks)
    # Those of which it is not known yet what became, by their position, as their profiles were when they were decided.
    known: dict[int, Due] = field(init=False)
    # Not taken yet.
    _ended: dict[int, Outcome | PutOff] = field(default_factory=dict)
    # Those that stay in their group; not taken yet, either.
    _held: dict[int, Held] = field(default_factory=dict)

    def __post_init__(self, due: Sequence[Due]) -> None:
        self.known = {each.position: each for each in due}

    def cancels(self, profile: bytes) -> bool:
        """Whether a launch for this profile is taken back."""
        return self.taken_back is not None and (self.campaign.cancelled or profile in self.taken_back)

    def put(self, position: int, ended: Outcome | PutOff | Held) -> None:
        if isinstance(ended, Held):
            self._held[position] = ended
        else:
            self._ended[position] = ended

    def take(self) -> "Taken":
        """What became of launches since the last time; nobody asks for them here any more."""
        ended, held, self._ended, self._held = self._ended, self._held, {}, {}
        for at in held:
            del self.known[at]
        return Taken({at: self.known.pop(at) for at in ended}, ended, held)


class Taken(NamedTuple):
    """What became of launches that are over for this claim; `due`: who those were that ended."""

    due: Mapping[int, Due]
    ended: Endings
    held: Mapping[int, Held]


class Begun(NamedTuple):
    """A launch that is to be sent."""

    page: Page
    gate: Gate
    due: Due
    profile: Profile

    async def in_turn(self) -> None:
        """Before it takes a place among those that are under way: whoever waits for his turn would keep it from others."""
        if self.page.is_suspect and self.page.begins is not None:
            await self.page.begins()

    async def ready(self) -> Launch | Outcome | None:
        """What is attempted, once it has waited for all that there is to wait for; None when it is not to begin any more."""
        page, due, profile = self.page, self.due, self.profile
        await page.looks.recent()
        if page.newest is not None and page.newest.has_aged():
            if (stored := await page.newest.of(due.whom, page.open)) is None:
                return None
            page.known[due.position] = due._replace(email=stored.email)
            if (read := stored.reader()) is None:
                return outcomes.CANCELLED if page.cancels(due.whom) else outcomes.PROFILE_DELETED
            profile = read()
        if page.begins is not None:
            await page.begins()
            page.begins = None
        # Whatever was waited for until now.
        await page.looks.recent()
        if not page.open():
            return None
        decided = self._decided(profile)
        if isinstance(decided, Outcome):
            return decided
        return Launch(due.id, page.campaign, profile, decided, merged(page.campaign.custom_data, due.own))

    def limit(self, name: str) -> Limit | None:
        """As it is now, if this one still goes."""
        return next((limit for limit in self.page.limits if limit.name == name), None) if self._goes() else None

    def rate(self, way: str) -> Limit | None:
        """The same, of a provider."""
        return of_provider(self.gate.ways(self.page.campaign).get(way)) if self._goes() else None

    def _goes(self) -> bool:
        return self.page.open() and not isinstance(self._decided(self.profile), Outcome)

    def _decided(self, profile: Profile) -> Recipient | Outcome:
        """By what is known now."""
        return outcomes.decide(self.page.campaign, profile, cancelled=self.page.cancels(self.due.whom))
