"""The commands ``flask desk replay``, ``export`` and ``prune``: check, copy out and archive the journal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import click

from services.history.archive import Archive
from services.history.display import progress_printer, replay_lines, show_what_if
from services.history.export import FORMATS, Days, ExportUnavailable, export
from services.history.files import FileAlreadyExists
from services.history.flat import TABLES
from services.history.prune import NothingToPrune, prune
from services.history.replay import replay_history
from services.history.source import History
from services.history.what_if import what_if
from services.ops.config import Config, ConfigError
from services.ops.opening import open_reader, open_store
from services.ops.rule_settings import rules_named
from services.stores.codec import documents
from services.stores.store import StoreError, StoreUnreadable

UNEQUAL = 1
UNREADABLE = 2
DAY = click.DateTime(["%Y-%m-%d"])


class CannotRead(click.ClickException):
    """The history could not be read; one sentence says why."""

    exit_code = UNREADABLE


archive_option = click.option(
    "--archive", type=click.Path(path_type=Path), help="Read this folder's rows before the store's."
)


@click.command("replay")
@click.option("--day", type=DAY, help="One trading day, e.g. 2026-11-20.")
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Ask what this rule would have done.")
@archive_option
def replay_command(day: datetime | None, changes: tuple[str, ...], archive: Path | None) -> None:
    """Decide the journal again and compare it with what is stored.

    Exits with 0 when all is equal, 1 when something differs, 2 when it could not be read. With --set it shows
    which entries other rules would have refused or allowed.
    """
    asked = day.date().isoformat() if day else None
    with _history(archive) as history:
        if changes:
            _print_what_if(history, changes, asked)
            return
        replay = replay_history(history, asked, progress_printer())
    for line in replay_lines(replay, asked):
        click.echo(line)
    if not replay.is_equal:
        raise click.exceptions.Exit(UNEQUAL)


def _print_what_if(history: History, changes: tuple[str, ...], day: str | None) -> None:
    rules = rules_named(changes)
    stored = history.store.load()
    if stored is None:
        raise StoreUnreadable("nothing is stored")
    head = stored.head.sequence
    mark = history.beginning(head, day)
    show_progress = progress_printer()
    found = what_if(
        history.rows(0 if mark is None else mark.sequence, head),
        rules,
        documents.read_desk(stored).id_key,
        None if mark is None else history.desk_at(mark),
        day,
        lambda row: show_progress(row, head),
    )
    if day is not None and not found.rows:
        raise StoreUnreadable(f"no row of the trading day {day} is kept")
    show_what_if(found)


@click.command("export")
@click.option("--format", "form", type=click.Choice(sorted(FORMATS)), required=True)
@click.option("--what", type=click.Choice(sorted(TABLES)), default="journal", show_default=True)
@click.option("--day", type=DAY, help="One trading day; --from and --until take several, both included.")
@click.option("--from", "first", type=DAY, help="The first trading day.")
@click.option("--until", "last", type=DAY, help="The last trading day.")
@click.option("--to", "path", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The new file.")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@archive_option
def export_command(
    form: str,
    what: str,
    day: datetime | None,
    first: datetime | None,
    last: datetime | None,
    path: Path,
    force: bool,
    archive: Path | None,
) -> None:
    """Write journal, trades, refusals or orders to a file.

    jsonl holds complete journal rows; csv and parquet hold flat columns.
    """
    if day and (first or last):
        raise click.UsageError("--day is one trading day: leave --from and --until out")
    with _history(archive) as history:
        days = Days(_date(day or first), _date(day or last), _roll(history))
        begins_at = history.first_sequence() or 1
        if begins_at > 1 and archive is None:
            click.echo(f"The store's journal begins at row {begins_at}; --archive adds what was pruned.", err=True)
        written = export(days.rows(history), what, form, path, replaces=force)
    click.echo(f"{written.records} records of {what} are in {path}.")


@click.command("prune")
@click.option("--keep-days", type=click.IntRange(min=1), required=True, help="Rows younger than this stay.")
@click.option("--archive", "folder", type=click.Path(path_type=Path, file_okay=False), required=True)
def prune_command(keep_days: int, folder: Path) -> None:
    """Write old journal rows into an archive, read them back, then delete them. The desk may keep running."""
    with _sentences():
        config = Config.from_env()
        open_reader(config).close()  # refuses a store of another schema, which open_store would upgrade
        store = open_store(config)
        try:
            pruned = prune(store, folder, keep_days, datetime.now(UTC))
        finally:
            store.close()
    files = len(pruned.parts)
    click.echo(f"{pruned.rows} rows, up to row {pruned.through}, are in {folder} ({files} new files) and deleted.")


def _date(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _roll(history: History) -> str:
    """Return the New York time at which the trading day rolls, from the rules of the stored desk."""
    stored = history.store.load()
    if stored is None:
        raise StoreUnreadable("nothing is stored")
    return documents.read_desk(stored).rules.day_roll


@contextmanager
def _history(archive: Path | None) -> Iterator[History]:
    """Open the configured store for reading only, with the archive of its older rows."""
    with _sentences():
        reader = open_reader(Config.from_env())
        try:
            yield History(reader, Archive(archive) if archive else None)
        finally:
            reader.close()


@contextmanager
def _sentences() -> Iterator[None]:
    """Turn the expected errors into one sentence for the terminal."""
    try:
        yield
    except (StoreError, ConfigError, OSError) as error:
        raise CannotRead(str(error)) from error
    except (FileAlreadyExists, ExportUnavailable, NothingToPrune) as error:
        raise click.ClickException(str(error)) from error
