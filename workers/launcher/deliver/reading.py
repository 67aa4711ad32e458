"""What launches are decided by: read page by page, and again while they are under way."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from runtime.together import Together
from workers.launcher.clock import clock
from workers.launcher.deliver import campaigns, profiles
from workers.launcher.deliver.away import database_may_be_away
from workers.launcher.deliver.looks import Looks, is_old
from workers.launcher.deliver.newest import Newest
from workers.launcher.deliver.page import Page
from workers.launcher.deliver.profiles import Items, Stored, Wanted
from workers.launcher.deliver.work import Work
from workers.launcher.model import Campaign, Due


class Going(NamedTuple):
    """A page of a group, of which not all is over."""

    work: Work
    page: Page


class Reading:
    """`size`: launches of a page at most; `begins` hears when the first of a page is attempted."""

    def __init__(self, together: Together, size: int, begins: Callable[[Work], Awaitable[None]]) -> None:
        self._together = together
        self._size = size
        self._begins = begins

    async def next(self, works: Sequence[Work]) -> list[Going]:
        """The next page of each that has one; none: all launches have had their turn, or no more may begin."""
        while works := [work for work in works if work.ahead and work.open()]:
            await self._refresh(works)
            # There may be none: others' profiles were so large that there was no room for ours. Who asks again stands before them.
            if coming := [Going(work, page) for work, page in zip(works, await self._read(works), strict=True) if page.known]:
                for each in coming:
                    del each.work.ahead[: len(each.page.known)]
                return coming
        return []

    async def look_again(self, going: Iterable[Going]) -> None:
        """However long a page takes, it does not go on with a campaign as it was, or with launches that were taken back."""
        if not (due := [each for each in going if each.page.looks.are_due()]):
            return
        asked = [page for _, page in due if page.taken_back is not None]
        wanted = [Wanted([each.whom for each in page.known.values()], page.campaign) for page in asked]
        at = clock()
        # At the same time: what was seen is as old as that took.
        read, taken_back = await asyncio.gather(
            self._refresh(list(dict.fromkeys(each.work for each in due))), self._together.ask_each(profiles.taken_back, wanted)
        )
        for page, whom in zip(asked, taken_back, strict=True):
            page.taken_back = whom
        if read:
            for work, page in due:
                page.campaign, page.limits = work.campaign, work.limits()
            at = min(at, *(work.read_at for work, _ in due))
            for looks in {page.looks for _, page in due}:
                looks.made(at)

    async def _refresh(self, works: Sequence[Work]) -> bool:
        """Read the campaigns again that are as of a while ago; false: they could not be."""
        old = [work for work in works if is_old(work.read_at)]
        read_at = clock()
        with database_may_be_away("campaigns_wait"):
            found = await self._together.ask_each(campaigns.load, [work.named for work in old])
            for work, campaign in zip(old, found, strict=True):
                work.read_at = read_at
                if campaign is not None:
                    work.campaign = replace(campaign, enclosed=work.campaign.enclosed)
            return True
        return False

    async def own(self, asked: Sequence[tuple[Work, Iterable[int]]]) -> list[dict[int, str]]:
        """What the items at these positions of each brought themselves, by position."""
        places = [{work.group.items[at]: at for at in positions} for work, positions in asked]
        items = [Items(work.group.batch, work.group.chunk, list(each)) for (work, _), each in zip(asked, places, strict=True)]
        found = await self._together.ask_each(profiles.load_custom_data, items)
        return [{at[item]: given for item, given in own.items()} for at, own in zip(places, found, strict=True)]

    async def _read(self, works: Sequence[Work]) -> list[Page]:
        """The next page of each, of some perhaps of none."""
        asked = [(work, work.ahead[: work.group.page(self._size)]) for work in works]
        wanted = [Wanted([work.group.profiles[at] for at in positions], work.campaign) for work, positions in asked]
        read_at = clock()
        found, own = await asyncio.gather(self._together.ask_each(profiles.load, wanted), self.own(asked))
        # They go together, and so those of one page are read again, and looked at, beside those of the others.
        newest = Newest(partial(self._again, wanted[0].campaign), [stored.id for each in found for stored in each], read_at)
        looks = Looks(min(work.read_at for work in works))
        pages = [_page(*each, stored, brought, newest, looks) for each, stored, brought in zip(asked, found, own, strict=True)]
        for work, page in zip(works, pages, strict=True):
            page.begins, page.is_suspect = partial(self._begins, work), work.is_suspect()
        return pages

    async def _again(self, campaign: Campaign, whose: Sequence[bytes]) -> Sequence[Stored]:
        return await self._together.ask(profiles.load, Wanted(whose, campaign))


def _page(work: Work, positions: Sequence[int], found: Sequence[Stored], own: Mapping[int, str], newest: Newest, looks: Looks) -> Page:
    """Of those that were found, perhaps not all that were asked for."""
    due = [
        Due(at, work.launch(at), stored.id, stored.reader(), own.get(at), stored.email)
        for at, stored in zip(positions, found, strict=False)
    ]
    page = Page(due, work.campaign, work.limits(), work.open, work.group.doubted, newest=newest, looks=looks)
    # Those of a later attempt were begun.
    page.taken_back = None if work.group.attempt else frozenset(stored.id for stored in found if stored.taken_back)
    return page
