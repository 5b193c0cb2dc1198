"""The command ``flask desk tape``: play a recorded or a simulated market to the desk."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import dropwhile, islice
from pathlib import Path

import click
from msgspec import Struct

from services.market.instruments import INSTRUMENTS
from services.market.renko import PriceJump
from services.market.ticks import TapeError, Tick, count_ticks, read_ticks
from tape.controls import Controls, TapeStopped, keyboard_is_there, signals_to
from tape.display import closing_line, show_progress
from tape.player import TapeSettings, play
from tape.simulation import simulate
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

    def ticks(self) -> Iterator[Tick]:
        """Yield the chosen ticks. Raises TapeError and OSError while they are read."""
        ticks = read_ticks(self.file) if self.file else simulate(self.asset, self.seed)
        if self.from_tape_time is not None:
            begins_at = self.from_tape_time.replace(tzinfo=UTC)
            ticks = dropwhile(lambda tick: tick.at < begins_at, ticks)
        return islice(ticks, self.limit)

    def expected(self) -> int | None:
        """Return the number of ticks to play, None when it is unknown before the end."""
        if self.file is None or self.from_tape_time is not None:
            return self.limit
        ticks = count_ticks(self.file)
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
@click.option("--asset", type=click.Choice(list(INSTRUMENTS), case_sensitive=False), help="Default: by file name.")
@click.option("--speed", type=Speed(), default=1.0, show_default=True, help="Times real time, or max.")
@click.option("--url", envvar="LOCKSTEP_URL", default=DEFAULT_URL, show_default=True, help="The desk.")
@click.option("--secret", envvar="TV_WEBHOOK_SECRET", hidden=True, default="")
@click.option("--seed", type=int, default=new_seed, help="Of the simulated market; default: a new one.")
@click.option("--limit", type=click.IntRange(min=1), help="Play at most so many ticks.")
@click.option("--from", "from_tape_time", type=click.DateTime(), help="Begin at this tape time (UTC).")
@click.option("--stay", is_flag=True, help="Keep running when the tape has ended.")
def tape_command(
    file: Path | None,
    asset: str | None,
    speed: float,
    url: str,
    secret: str,
    seed: int,
    limit: int | None,
    from_tape_time: datetime | None,
    stay: bool,
) -> None:
    """Play FILE (CSV or CSV.gz), or without FILE a simulated market, to the desk's webhooks.

    Ctrl-C pauses, Enter goes on, a second Ctrl-C quits.
    """
    if not secret:
        raise click.ClickException("TV_WEBHOOK_SECRET is not set: put it into .env or the environment.")
    if is_read_on_the_way(url):
        raise click.ClickException("The desk's address must be https: over http everybody on the way reads the secret.")
    choice = TapeChoice(file, asset or asset_of(file), seed, from_tape_time, limit)
    settings = TapeSettings(
        asset=choice.asset,
        url=url,
        secret=secret,
        run_id=secrets.token_hex(4),
        speed=speed,
        source="recorded" if file else "simulated",
    )
    controls = Controls(say=partial(click.echo, err=True), can_resume=keyboard_is_there)
    with signals_to(controls):
        run(choice, settings, controls, stay)


def run(choice: TapeChoice, settings: TapeSettings, controls: Controls, stay: bool) -> None:
    """Wait for the desk, play the chosen ticks, print the summary.

    Raises ClickException with one sentence when the desk does not answer or refuses, or the file is no tape.
    """
    try:
        _wait_for_desk(settings, controls)
        controls.say(f"Playing {choice.title()} as {settings.asset} to {settings.url}.")
        with show_progress(settings.asset, choice.expected()) as watch:
            summary = play(choice.ticks(), settings, controls, watch)
        controls.say(closing_line(summary))
        if stay and summary.completed:
            controls.wait_for_end()
    except TapeStopped:
        return
    except (DeskRefused, TapeError, PriceJump, OSError) as failure:
        raise click.ClickException(f"{failure}.") from failure


def asset_of(file: Path | None) -> str:
    """Return the asset at the start of a file's name (``us30_ticks_….csv.gz`` is US30), else ES."""
    prefix = file.name.split("_")[0].upper() if file else DEFAULT_ASSET
    return prefix if prefix in INSTRUMENTS else DEFAULT_ASSET


def _wait_for_desk(settings: TapeSettings, controls: Controls) -> None:
    line = DeskLine(settings.url, controls)
    try:
        if not line.wait_until_up(DESK_PATIENCE_SECONDS):
            raise click.ClickException(
                f"The desk at {settings.url} did not answer within {DESK_PATIENCE_SECONDS:.0f} s."
            )
    finally:
        line.close()
