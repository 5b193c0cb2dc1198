"""``python -m advisor models train|list|card|use``."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence

import msgspec

from advisor.bars import BarsAway, FeedsBars
from advisor.config import AdvisorConfig
from advisor.models.files import ModelRefused, read_card, read_version, switch
from advisor.models.places import TIMEFRAMES, Slot, current_of, slots_in, versions_in
from advisor.models.prober import ProbeNotMade, probe
from advisor.models.training import TrainingOrder, TrainingRefused, one_training, train_all
from services.market.instruments import INSTRUMENTS, resolve_asset
from sidecar.children import end_with_parent
from sidecar.settings import SettingsInvalid
from sidecar.web import WebClient
from wire.encoding import encode
from wire.ml_engine import ModelCard

DONE = 0
FAILED = 1
NICENESS = 10


class CommandFailed(Exception):
    """A command cannot be done; the message is one sentence."""


def run_models(words: Sequence[str]) -> int:
    """Run one command. Return 0 when it was done, 1 when it was not; wrong words end the process with 2."""
    asked = _parser().parse_args(words)
    try:
        config = AdvisorConfig.from_env()
        if asked.command == "train":
            asyncio.run(_train(asked, config))
        elif asked.command == "list":
            _list(config)
        elif asked.command == "card":
            slot, version, _ = _found(config, asked.id)
            say(
                msgspec.json.format(encode(read_version(slot.folder(config.models_path) / version, slot).card)).decode()
            )
        else:
            asyncio.run(_use(asked.id, config))
    except (SettingsInvalid, CommandFailed, BarsAway, TrainingRefused, ModelRefused, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return FAILED
    return DONE


def say(line: str) -> None:
    """Write one line."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m advisor models", description="Models of ranges and targets.")
    commands = parser.add_subparsers(dest="command", required=True)
    training = commands.add_parser("train", help="train models of the recorded bars, and use them")
    training.add_argument("symbols", nargs="*", type=_symbol, help="all that have recorded bars, unless named")
    training.add_argument("--timeframe", action="append", choices=TIMEFRAMES, help="all, unless named")
    training.add_argument("--new", action="store_true", help="only what has a new session")
    training.add_argument("--with-parent", action="store_true", help="end when the standard input is closed")
    commands.add_parser("list", help="the models on disk; * is in use")
    for name, says in (("card", "show the card of a model"), ("use", "switch to a model")):
        commands.add_parser(name, help=says).add_argument("id", help="the id of its card")
    return parser


def _symbol(text: str) -> str:
    found = resolve_asset(text, INSTRUMENTS)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no symbol: there are {', '.join(INSTRUMENTS)}")
    return found


async def _train(asked: argparse.Namespace, config: AdvisorConfig) -> None:
    if asked.with_parent:
        end_with_parent()
    os.nice(NICENESS)
    if config.feeds_url is None:
        raise CommandFailed("feeds is off: FEEDS_URL names no address, and there are no bars to learn from")
    order = TrainingOrder(
        symbols=tuple(dict.fromkeys(asked.symbols)),
        timeframes=tuple(asked.timeframe or TIMEFRAMES),
        only_new=asked.new,
    )
    feeds = WebClient(config.feeds_url, config.service_secret)
    try:
        written = await train_all(order, FeedsBars(feeds), config.models_path, say)
    finally:
        await feeds.close()
    say(f"{written} models were written")


def _list(config: AdvisorConfig) -> None:
    for slot in slots_in(config.models_path):
        folder = slot.folder(config.models_path)
        for version in versions_in(folder):
            mark = "*" if version == current_of(folder) else " "
            try:
                card = read_card(folder / version)
            except ModelRefused as refused:
                say(f"{mark} {slot.symbol} {slot.timeframe} {slot.target} {version}: {refused.reason}, {refused}")
                continue
            say(f"{mark} {card.id}: {card.verdict}, {card.data.sessions} sessions, {card.n} forecasts. {card.why}")


def _found(config: AdvisorConfig, name: str) -> tuple[Slot, str, ModelCard]:
    """Return where the model with this id lies. Raises `CommandFailed`."""
    for slot in slots_in(config.models_path):
        folder = slot.folder(config.models_path)
        for version in reversed(versions_in(folder)):
            try:
                card = read_card(folder / version)
            except ModelRefused:
                continue
            if card.id == name:
                return slot, version, card
    raise CommandFailed(f"no card has the id {name[:80]!r}: python -m advisor models list")


async def _use(name: str, config: AdvisorConfig) -> None:
    """Switch to a model that a child could load. Raises `CommandFailed`, `ModelRefused`, `TrainingRefused`."""
    slot, version, _ = _found(config, name)
    folder = slot.folder(config.models_path)
    stored = read_version(folder / version, slot)
    try:
        [answer] = await probe([stored])
    except ProbeNotMade as error:
        raise CommandFailed(f"{name} was not probed: {error}") from error
    if answer.reason is not None:
        raise CommandFailed(f"{name} cannot be used: {answer.reason}, {answer.detail}")
    with one_training(config.models_path):
        switch(folder, version)
    say(f"{name} is in use: a running advisor takes it within 5 s")
