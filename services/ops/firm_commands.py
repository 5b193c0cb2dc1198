"""The commands ``flask desk firm``: read a firm's profile in plain words, and judge the stored account by it."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import click
from flask.cli import AppGroup

from services.engine.model.firm import Firm
from services.engine.model.trading_day import NEW_YORK
from services.history.firm_judge import Day, Judged, judge
from services.journal.trades import READ_AT_MOST, span_of
from services.ops.config import Config, ConfigError
from services.ops.firm_profiles import Group, Profile, ProfileError, firm_named, read_profile
from services.ops.history_commands import CannotRead
from services.ops.opening import open_reader
from services.projections.equity import PnlSample, account_days
from services.projections.trades import trades_between
from services.stores.codec import documents
from services.stores.store import Store, StoreError, StoreUnreadable

BROKEN = 1
DAY = click.DateTime(["%Y-%m-%d"])
WORD = "The firm's own word counts. This is what the named pages said; no promise goes with it."
TITLES = {
    "daily_loss": "daily loss",
    "trailing_drawdown": "trailing drawdown",
    "contracts": "contracts",
    "flat_time": "flat time",
    "consistency": "best day's share",
}

firm_group = AppGroup("firm", help="A trading firm's rules: read a profile, judge the account by it.")


@firm_group.command("check")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
def check_command(path: Path) -> None:
    """Print a profile in plain words, with its sources and what it does not say. Exits with 1 when it has a fault."""
    try:
        profile = read_profile(path)
    except ProfileError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{profile.name}, {path.name}\n{WORD}")
    for account in profile.accounts:
        for line in lines_of(profile, path.stem, account):
            click.echo(line)


def lines_of(profile: Profile, name: str, account: str) -> list[str]:
    """Return what the profile says of one account: a line for each rule, and one for its source."""
    own = profile.accounts[account]
    begins = f"{own.start_balance:,} USD" if own.start_balance is not None else "unknown: ask the firm"
    lines = ["", f"FIRM={name}:{account}  {own.title}", f"  begins with: {begins}"]
    for rule, group in profile.groups_of(account).items():
        lines.append(f"  {TITLES[rule]}: {_said(profile, account, rule, group)}")
        if group is not None:
            day = f"dated {group.dated}" if group.dated else f"read {group.read}"
            lines.append(f"    {group.source} ({day})" + (f"; {group.note}" if group.note else ""))
    return lines


def _said(profile: Profile, account: str, rule: str, group: Group | None) -> str:
    firm = profile.firm("", account)
    if group is None:
        return "unknown: ask the firm"
    if rule in firm.unlimited:
        return "none"
    if rule == "daily_loss":
        return f"{firm.daily_loss:,} USD from the day's start"
    if rule == "trailing_drawdown" and firm.drawdown is not None:
        which = "at the end of a day" if firm.drawdown.follows == "end_of_day" else "of all, open profit included"
        stop = firm.drawdown.stops_at
        ends = "whether it ever stops is unknown: ask the firm"
        if stop is not None:
            ends = f"it stops {stop:,} USD above the start balance" if stop else "it stops at the start balance"
        return f"{firm.drawdown.amount:,} USD below the highest balance {which}; {ends}"
    if rule == "contracts":
        plan = ", ".join(f"{step.contracts} above {step.profit:,} USD" for step in firm.scaling[1:])
        micros = "each micro counts as one" if firm.micros_count_full else "ten micros count as one"
        return f"{firm.scaling[0].contracts}" + (f", {plan} of profit" if plan else "") + f"; {micros}"
    if rule == "flat_time":
        return f"flat by {firm.flat_by} New York, entries again from {firm.opens_at or '18:00 (not said)'}"
    return f"at most {firm.consistency_pct} percent of the profit on one day (shown only)"


# -- the account's past --------------------------------------------------------------------------------------------


@firm_group.command("replay")
@click.argument("name")
@click.option("--from", "first", type=DAY, help="The first trading day; the oldest stored unless given.")
@click.option("--to", "last", type=DAY, help="The last trading day, included; the newest stored unless given.")
@click.option("--env", type=click.Choice(["DEMO", "LIVE"]), help="Whose account; the desk's environment unless given.")
@click.option("--account", help="The account's name, where several were traded.")
def replay_command(
    name: str, first: datetime | None, last: datetime | None, env: str | None, account: str | None
) -> None:
    """Judge the stored account by a profile, such as topstep:50k: would these days have passed?

    Exits with 0 when no rule was broken, 1 when one was, 2 when the store could not be read.
    """
    try:
        firm = firm_named(name)
        store = open_reader(Config.from_env())
        try:
            days, judged = _judged(store, firm, _date(first), _date(last), env, account)
        finally:
            store.close()
    except ProfileError as error:
        raise click.ClickException(str(error)) from None
    except (StoreError, ConfigError, OSError) as error:
        raise CannotRead(str(error)) from error
    _print(firm.title, days, judged)
    if any(row.outcome == "broken" for row in judged):
        raise click.exceptions.Exit(BROKEN)


def _judged(
    store: Store, firm: Firm, first: date | None, last: date | None, env: str | None, account: str | None
) -> tuple[list[Day], list[Judged]]:
    stored = store.load()
    if stored is None:
        raise StoreUnreadable("nothing is stored")
    desk = documents.read_desk(stored)
    of_env = env or desk.env
    begin, end = first or date(2000, 1, 1), last or desk.day.trading_day
    told = account_days(store, begin.isoformat(), end.isoformat())
    days = [
        Day(date.fromisoformat(day.trading_day), samples)
        for day in told
        if (samples := _of_account(day.samples, of_env, account))
    ]
    since, until = span_of(begin, end, desk.rules.day_roll)
    closed = [row.trade for row in trades_between(store, since, until, READ_AT_MOST)]
    return days, judge(firm, days, [trade for trade in closed if trade.env == of_env], desk.rules.day_roll)


def _of_account(samples: tuple[PnlSample, ...], env: str, account: str | None) -> tuple[PnlSample, ...]:
    return tuple([one for one in samples if one.env == env and account in (None, one.account)])


def _print(title: str, days: list[Day], judged: list[Judged]) -> None:
    span = f"{days[0].day} to {days[-1].day}, {len(days)} days" if days else "no stored day"
    click.echo(f"{title}, {span}\n{WORD}")
    accounts = sorted({one.account or "(not named)" for day in days for one in day.samples})
    if len(accounts) > 1:
        click.echo(f"These days hold several accounts, choose one with --account: {', '.join(accounts)}")
    for row in judged:
        at = f" at {row.at.astimezone(NEW_YORK):%Y-%m-%d %H:%M} New York" if row.at else ""
        click.echo(f"{TITLES[row.rule]:<18} {row.outcome}{at}: {row.detail}")
    broken = [TITLES[row.rule] for row in judged if row.outcome == "broken"]
    verdict = f"broken: {', '.join(broken)}" if broken else "no rule that is known was broken"
    for outcome in ("not met", "unknown"):
        named = [TITLES[row.rule] for row in judged if row.outcome == outcome]
        verdict += f"; {outcome}: {', '.join(named)}" if named else ""
    click.echo(f"These days: {verdict}")


def _date(day: datetime | None) -> date | None:
    return None if day is None else day.date()
