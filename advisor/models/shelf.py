"""The models that answer now. ``current`` of each slot is looked at every 5 s; what fails leaves the last good one.

A model is taken into use in this order: its files have the hashes of its card; it reads the features of this program;
a child process loads it and reproduces the card's probe rows; only then it is loaded here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import structlog
from msgspec import Struct
from msgspec.structs import replace

from advisor.ml.forecast import ModelUnreadable, RangeModel
from advisor.ml.signals import TpModel
from advisor.models.files import ModelRefused, Reason, Stored, read_card, read_current
from advisor.models.loading import Model, features_of, model_of, reason_of
from advisor.models.places import Slot, mark_of, slots_in, versions_in
from advisor.models.probe import Probed
from advisor.models.prober import ProbeNotMade, probe
from wire.ml_engine import MlTimeframe, ModelCard, ModelTrouble, RrConfig

logger = structlog.get_logger(__name__)

LOOK_SECONDS = 5.0
Probing = Callable[[Sequence[Stored]], Awaitable[list[Probed]]]


class Served(Struct, frozen=True):
    """A model that answers."""

    card: ModelCard
    model: Model


class Shelf:
    """What is served, by slot, and what could not be taken into use."""

    def __init__(self, root: Path, probing: Probing = probe) -> None:
        """Serve models below `root`; nothing is read before `look`."""
        self._root = root
        self._probing = probing
        self._served: dict[Slot, Served] = {}
        self._seen: dict[Slot, str] = {}
        self._trouble: dict[Slot, ModelTrouble] = {}
        self.fault: str | None = None
        """Why the folder of models could not be looked at when that was last tried; None while it can."""

        self.on_change: Callable[[], None] = lambda: None
        """Called after the served models have changed."""

    # -- what is there ------------------------------------------------------------------------------------------

    def range_model(self, symbol: str, timeframe: MlTimeframe) -> RangeModel | None:
        """Return what answers for a range."""
        served = self._served.get(Slot(symbol, timeframe))
        return served.model if served is not None and isinstance(served.model, RangeModel) else None

    def tp_model(self, symbol: str, timeframe: MlTimeframe, rr: RrConfig) -> TpModel | None:
        """Return what answers for a signal."""
        served = self._served.get(Slot(symbol, timeframe, rr))
        return served.model if served is not None and isinstance(served.model, TpModel) else None

    def slots(self) -> tuple[Slot, ...]:
        """Return the slots that are answered for."""
        return tuple(self._served)

    def ids(self) -> tuple[str, ...]:
        """Return the ids of the cards that answer now."""
        return tuple(sorted(served.card.id for served in self._served.values()))

    def trouble(self) -> tuple[ModelTrouble, ...]:
        """Return what could not be taken into use."""
        return tuple(self._trouble.values())

    async def cards(self) -> tuple[ModelCard, ...]:
        """Return every card on disk, newest first, and those that answer although their files are gone."""
        found = await asyncio.to_thread(cards_in, self._root)
        by_id = {card.id: card for card in found}
        serving = {served.card.id: replace(served.card, serving=True) for served in self._served.values()}
        return tuple(sorted((by_id | serving).values(), key=lambda card: (card.made_at, card.id), reverse=True))

    # -- looking ------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Look again and again, until the task is cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Take into use what has changed on disk."""
        try:
            found = await asyncio.to_thread(marks_in, self._root)
        except OSError as error:
            if self.fault is None:
                logger.error("the models cannot be looked at", folder=str(self._root), reason=error.strerror)
            self.fault = str(error.strerror)
            return
        self.fault = None
        await self._take_changed(found)

    async def _take_changed(self, found: dict[Slot, str]) -> None:
        marks = {**dict.fromkeys(self._served, ""), **found}
        changed = [slot for slot, mark in marks.items() if self._seen.get(slot) != mark]
        if not changed:
            return
        read = [(slot, stored) for slot in changed if (stored := await self._read(slot)) is not None]
        try:
            answers = await self._probing([stored for _, stored in read]) if read else []
        except ProbeNotMade as error:
            logger.warning("models were not probed; that is tried again", reason=str(error))
            return
        for (slot, stored), answer in zip(read, answers, strict=True):
            await self._take(slot, stored, answer)
        self._seen.update({slot: marks[slot] for slot in changed})
        self.on_change()

    async def _read(self, slot: Slot) -> Stored | None:
        """Return a model whose files are what its card says, None when something is wrong with it."""
        try:
            stored = await asyncio.to_thread(read_current, self._root, slot)
        except ModelRefused as refused:
            self._note(slot, refused.reason, str(refused))
            return None
        known = features_of(stored.card)
        if stored.card.features != known:
            self._note(slot, "features_differ", f"it reads {stored.card.features:.40}, this program {known}")
            return None
        return stored

    async def _take(self, slot: Slot, stored: Stored, answer: Probed) -> None:
        if answer.reason is not None:
            self._note(slot, answer.reason, answer.detail)
            return
        try:
            model = await asyncio.to_thread(model_of, stored)
        except ModelUnreadable as error:
            self._note(slot, reason_of(error), str(error))
            return
        self._served[slot] = Served(stored.card, model)
        self._trouble.pop(slot, None)
        logger.info("a model answers", model=stored.card.id, verdict=stored.card.verdict)

    def _note(self, slot: Slot, reason: Reason, sentence: str) -> None:
        """Remember why a model is not taken. The one before it goes on."""
        before = self._trouble.get(slot)
        since = before.since if before is not None and before.reason == reason else datetime.now(UTC)
        self._trouble[slot] = ModelTrouble(
            symbol=slot.symbol, timeframe=slot.timeframe, target=slot.target, reason=reason, since=since
        )
        serving = self._served.get(slot)
        logger.error(
            "a model cannot be taken into use",
            slot=f"{slot.symbol} {slot.timeframe} {slot.target}",
            reason=reason,
            detail=sentence,
            serving=None if serving is None else serving.card.id,
        )


def marks_in(root: Path) -> dict[Slot, str]:
    """Return the mark of each slot that has versions, or a link to one."""
    marks = {slot: mark_of(slot.folder(root)) for slot in slots_in(root)}
    return {slot: mark for slot, mark in marks.items() if mark or versions_in(slot.folder(root))}


def cards_in(root: Path) -> list[ModelCard]:
    """Return the readable cards of all versions."""
    found = []
    for slot in slots_in(root):
        for version in versions_in(slot.folder(root)):
            try:
                found.append(replace(read_card(slot.folder(root) / version), serving=False))
            except ModelRefused as refused:
                logger.info("a card cannot be read", version=version, reason=refused.reason)
    return found
