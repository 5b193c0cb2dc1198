"""Trains models of the bars that feeds has, and switches to them. A killed training leaves what was there."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from advisor.bars import FeedsBars
from advisor.ml.bars import SECONDS, BarsRefused, Minute, Series, series_of
from advisor.ml.cards import Made
from advisor.ml.train import TrainOptions, train
from advisor.ml.walk import NotEnough, sessions_of
from advisor.models.files import ModelRefused, read_card, switch, tidy, write_version
from advisor.models.places import TIMEFRAMES, Slot, current_of, slot_of
from services.market.instruments import INSTRUMENTS, instrument_for
from wire.ml_engine import MlTimeframe

LOCK = ".training"
LEARNED_DAYS = 400
DAY_SECONDS = 86_400
LEARNED_BARS = 100_000
"""Of one timeframe at most: it bounds the time and the memory of a training."""

MINUTE = 60
PROGRAM = "lockstep advisor"

Says = Callable[[str], None]


class TrainingRefused(Exception):
    """Nothing can be trained; the message is one sentence."""


class TrainingOrder(Struct, frozen=True, kw_only=True):
    """What to train: without `symbols` all of which bars are stored. `only_new`: only what has a new session."""

    symbols: tuple[str, ...] = ()
    timeframes: tuple[MlTimeframe, ...] = TIMEFRAMES
    only_new: bool = False


async def train_all(order: TrainingOrder, feeds: FeedsBars, root: Path, say: Says) -> int:
    """Train and return how many models were written. Raises `BarsAway`, `TrainingRefused`."""
    written = 0
    with one_training(root):
        stored = await feeds.stored()
        for symbol in order.symbols or tuple(name for name in stored if name in INSTRUMENTS):
            row = stored.get(symbol)
            if row is None:
                say(f"{symbol}: no bars of a real market are recorded")
                continue
            since = max(0, row.last_t - LEARNED_DAYS * DAY_SECONDS)
            minutes = [minute async for page in feeds.after(symbol, since) for minute in page]
            written += sum(train_one(symbol, one, minutes, order, root, say) for one in order.timeframes)
    return written


def train_one(
    symbol: str, timeframe: MlTimeframe, minutes: Sequence[Minute], order: TrainingOrder, root: Path, say: Says
) -> int:
    """Train one timeframe of a symbol; return how many models were written."""
    try:
        series = series_of(symbol, timeframe, minutes[-LEARNED_BARS * SECONDS[timeframe] // MINUTE :])
    except BarsRefused as refused:
        say(f"{symbol} {timeframe}: the recorded bars cannot be learned from: {refused}")
        return 0
    if order.only_new and not has_new_session(series, root):
        say(f"{symbol} {timeframe}: no new session")
        return 0
    trained = train(series, datetime.now(UTC).replace(microsecond=0), TrainOptions(program=PROGRAM))
    if isinstance(trained, NotEnough):
        say(trained.sentence)
        return 0
    made = (trained.range, *trained.tp.values())
    keep(made, root)
    for one in made:
        say(f"{one.card.id}: {one.card.verdict}. {one.card.why}")
    return len(made)


def keep(made: Sequence[Made], root: Path) -> None:
    """Write models, then switch to them: a training that is killed in between has changed nothing that answers."""
    versions = [(slot_of(one.card).folder(root), write_version(root, one.card, one.files)) for one in made]
    for folder, version in versions:
        switch(folder, version)
        tidy(folder)


def has_new_session(series: Series, root: Path) -> bool:
    """Return whether a session has been recorded since the range that is in use was trained."""
    folder = Slot(series.symbol, series.timeframe).folder(root)
    version = current_of(folder)
    if version is None:
        return True
    try:
        card = read_card(folder / version)
    except ModelRefused:
        return True
    sessions = sessions_of(series)
    learned = instrument_for(series.symbol).calendar.trade_date(card.data.last).toordinal()
    return bool(sessions) and sessions[-1].on > learned


@contextmanager
def one_training(root: Path) -> Iterator[None]:
    """Hold the folder of models for one training. Raises `TrainingRefused` while another one runs."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (root / LOCK).open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise TrainingRefused("another training runs: wait for its end") from error
        yield
