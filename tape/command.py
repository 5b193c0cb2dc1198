"""The command ``flask desk tape``: play a recorded or a simulated market to the desk."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import dropwhile, islice
from pathlib import Path
from typing import Any

import click
from msgspec import Struct

from services.market.instruments import TRADABLE
from services.market.price_files.names import symbols_in
from services.market.price_files.options import SAY_NOTHING, PriceFileError, ReadingOptions
from services.market.renko import PriceJump
from services.market.ticks import Tick, count_ticks, read_ticks
from tape.controls import Controls, TapeStopped, keyboard_is_there, signals_to
from tape.display import closing_line, show_progress
from tape.player import TapeSettings, play
from tape.reading import Refusals, check_file, reading_options, with_reading_options
from tape.simulation import simulate
from tape.units import takes_units, unit_among
from tape.webhooks import DeskLine, DeskRefused
from wire.hosts import is_read_on_the_way

DEFAULT_ASSET = "ES"
DEFAULT_URL = "http://127.0.0.1:8000"
DESK_PATIENCE_SECONDS = 60.0


class TapeChoice(Struct, frozen=True):
    """The ticks to play: from a file or simulated from a seed, from a tape time on, at most ``limit``."""

    file: Path | None
    asset: str
    seed: int
    from_tape_time: datetime | None
    limit: int | None
    reading: ReadingOptions = SAY_NOTHING

    def ticks(self, refusals: Refusals) -> Iterator[Tick]:
        """Yield the chosen ticks; rows that cannot be read are counted. Raises PriceFileError and OSError."""
        if self.file is None:
            ticks = simulate(self.asset, self.seed)
        else:
            ticks = read_ticks(self.file, self.reading, refusals.add)
        if self.from_tape_time is not None:
            begins_at = self.from_tape_time.replace(tzinfo=UTC)
            ticks = dropwhile(lambda tick: tick.at < begins_at, ticks)
        return islice(ticks, self.limit)

    def expected(self) -> int | None:
        """Return the number of ticks to play, None when it is unknown before the end."""
        if self.file is None or self.from_tape_time is not None:
            return self.limit
        ticks = count_ticks(self.file, self.reading)
        return min(ticks, self.limit) if self.limit else ticks

    def title(self) -> str:
        """Return the name of the source for the operator."""
        return self.file.name if self.file else f"simulated market, seed {self.seed}"


class Speed(click.ParamType[float]):
    """``max`` (or 0) for as fast as the desk answers, else how many times faster than real time."""

    name = "speed"

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Convert the option's text to a factor; fail with one sentence."""
        try:
            speed = 0.0 if value == "max" else float(value)
        except ValueError:
            self.fail(f"speed was {value!r}, must be a number or max", param, ctx)
        if not 0 <= speed < float("inf"):
            self.fail(f"speed was {value!r}, must be 0 or more", param, ctx)
        return speed


def new_seed() -> int:
    """Return a random seed that is short enough to type again."""
    return secrets.randbelow(10**6)


@click.command("tape")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--asset", type=click.Choice(TRADABLE, case_sensitive=False), help="Default: by file name.")
@click.option("--speed", type=Speed(), default=1.0, show_default=True, help="Times real time, or max.")
@click.option("--url", envvar="LOCKSTEP_URL", default=DEFAULT_URL, show_default=True, help="The desk.")
@click.option("--secret", envvar="TV_WEBHOOK_SECRET", hidden=True, default="")
@click.option("--bridge-secret", envvar="BRIDGE_HEARTBEAT_SECRET", hidden=True, default="")
@click.option("--seed", type=int, default=new_seed, help="Of the simulated market; default: a new one.")
@click.option("--limit", type=click.IntRange(min=1), help="Play at most so many ticks.")
@click.option("--from", "from_tape_time", type=click.DateTime(), help="Begin at this tape time (UTC).")
@click.option("--stay", is_flag=True, help="Keep running when the tape has ended.")
@takes_units
@click.option("--check", is_flag=True, help="Say how FILE is read and which rows are not, and play nothing.")
@with_reading_options
def tape_command(
    file: Path | None,
    asset: str | None,
    speed: float,
    url: str,
    secret: str,
    bridge_secret: str,
    seed: int,
    limit: int | None,
    from_tape_time: datetime | None,
    stay: bool,
    check: bool,
    **said: Any,
) -> None:
    """Play FILE, or without FILE a simulated market, to the desk's webhooks. Which files: docs/how-to/data.md.

    With BRIDGE_HEARTBEAT_SECRET its prices are sent as ticks, too. Ctrl-C pauses, Enter goes on, a second Ctrl-C quits.
    """
    reading = reading_options(asset or asset_of(file), said)
    if check:
        say_how_it_is_read(file, reading)
        return
    if not secret:
        raise click.ClickException("TV_WEBHOOK_SECRET is not set: put it into .env or the environment.")
    if is_read_on_the_way(url):
        raise click.ClickException("The desk's address must be https: over http everybody on the way reads the secret.")
    choice = TapeChoice(file, asset or asset_of(file), seed, from_tape_time, limit, reading)
    settings = TapeSettings(
        asset=choice.asset,
        url=url,
        secret=secret,
        run_id=secrets.token_hex(4),
        speed=speed,
        source="recorded" if file else "simulated",
        bridge_secret=bridge_secret,
        unit=unit_among(said, choice.asset),
    )
    controls = Controls(say=partial(click.echo, err=True), can_resume=keyboard_is_there)
    with signals_to(controls):
        run(choice, settings, controls, stay)


def say_how_it_is_read(file: Path | None, reading: ReadingOptions) -> None:
    """Print what a file holds. Raises ClickException for one that cannot be read."""
    if file is None:
        raise click.ClickException("--check needs a FILE.")
    try:
        for line in check_file(file, reading):
            click.echo(line)
    except (PriceFileError, OSError) as failure:
        raise click.ClickException(f"{failure}.") from failure


def run(choice: TapeChoice, settings: TapeSettings, controls: Controls, stay: bool) -> None:
    """Wait for the desk, play the chosen ticks, print the summary.

    Raises ClickException with one sentence when the desk does not answer or refuses, or the file is no tape.
    """
    refusals = Refusals()
    try:
        _wait_for_desk(settings, controls)
        controls.say(f"Playing {choice.title()} as {settings.asset} to {settings.url}.")
        with show_progress(settings.asset, choice.expected()) as watch:
            summary = play(choice.ticks(refusals), settings, controls, watch)
        controls.say(closing_line(summary))
        for line in refusals.lines():
            controls.say(line)
        if stay and summary.completed:
            controls.wait_for_end()
    except TapeStopped:
        return
    except (DeskRefused, PriceFileError, PriceJump, OSError) as failure:
        raise click.ClickException(f"{failure}.") from failure


def asset_of(file: Path | None) -> str:
    """Return the asset that a file's name has (``us30_ticks_….csv.gz`` is US30), ES where it has none.

    Raises ClickException for a name that has several, or one that is not traded.
    """
    named = symbols_in(file.name) if file else ()
    if len(named) > 1:
        raise click.ClickException(f"The name has {' and '.join(symbol.asset for symbol in named)}: say --asset.")
    asset = named[0].asset if named else DEFAULT_ASSET
    if asset not in TRADABLE:
        raise click.ClickException(f"{asset} is not traded: say --asset for the one it is to be played as.")
    return asset


def _wait_for_desk(settings: TapeSettings, controls: Controls) -> None:
    line = DeskLine(settings.url, controls)
    try:
        if not line.wait_until_up(DESK_PATIENCE_SECONDS):
            raise click.ClickException(
                f"The desk at {settings.url} did not answer within {DESK_PATIENCE_SECONDS:.0f} s."
            )
    finally:
        line.close()
