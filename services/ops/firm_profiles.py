"""Firm profiles: ``firms/<name>.toml`` read, checked, and turned into the rules that the desk keeps (SPEC 5.9).

A profile says only what a stored page said, with its address and date beside each group. What it does not say is
absent.
"""

from __future__ import annotations

import re
import tomllib
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct

from services.engine.model.firm import Firm, FirmRule, Follows, ScalingStep, TrailingDrawdown
from services.engine.model.trading_day import CME_ROLL

FIRMS = Path(__file__).resolve().parent.parent.parent / "firms"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
CHICAGO_IS_BEHIND_HOURS = 1  # all year: both change their clocks in the same night
MOST_USD = Decimal(100_000_000)
MOST_CONTRACTS = 10_000
KindT = TypeVar("KindT")
Zone = Literal["America/New_York", "America/Chicago"]


class ProfileError(Exception):
    """A profile cannot be used; the sentence names the file, the line's name and what it must be."""


class Group(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one page says of one rule. ``dated`` is the page's own date, ``read`` the day on which it was read."""

    source: str
    dated: date | None = None
    read: date | None = None
    note: str | None = None


class DailyLoss(Group, frozen=True, kw_only=True):
    limit: Decimal | None = None
    none: Literal[True] | None = None


class Drawdown(Group, frozen=True, kw_only=True):
    amount: Decimal
    follows: Follows
    stops_at: Decimal | None = None


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    profit: Decimal
    contracts: Decimal


class Contracts(Group, frozen=True, kw_only=True):
    """``micros`` says what a micro contract counts; a page that does not say it counts each as a whole one."""

    steps: tuple[Step, ...]
    micros: Literal["full", "tenth"] | None = None


class FlatTime(Group, frozen=True, kw_only=True):
    at: str
    zone: Zone
    opens: str | None = None


class Consistency(Group, frozen=True, kw_only=True):
    percent: Decimal | None = None
    none: Literal[True] | None = None


class Groups(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The groups of one account, or those that all accounts share."""

    daily_loss: DailyLoss | None = None
    trailing_drawdown: Drawdown | None = None
    contracts: Contracts | None = None
    flat_time: FlatTime | None = None
    consistency: Consistency | None = None


class Account(Groups, frozen=True, kw_only=True):
    title: str
    start_balance: Decimal | None = None


class Profile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A firm's file: its accounts, and what they share."""

    name: str
    accounts: dict[str, Account]
    all: Groups = Groups()

    def groups_of(self, account: str) -> dict[FirmRule, Group | None]:
        """Return what the file says of each rule for an account, the shared groups included."""
        own = self.accounts[account]
        return {rule: getattr(own, rule) or getattr(self.all, rule) for rule in RULES}

    def firm(self, name: str, account: str) -> Firm:
        """Return the rules to keep for an account. ``name`` is that of the file."""
        own = self.accounts[account]
        daily = own.daily_loss or self.all.daily_loss
        drawdown = own.trailing_drawdown or self.all.trailing_drawdown
        contracts = own.contracts or self.all.contracts
        flat = own.flat_time or self.all.flat_time
        share = own.consistency or self.all.consistency
        return Firm(
            name=name,
            account=account,
            start_balance=own.start_balance,
            daily_loss=daily.limit if daily else None,
            drawdown=TrailingDrawdown(drawdown.amount, drawdown.follows, drawdown.stops_at) if drawdown else None,
            scaling=tuple([ScalingStep(step.profit, step.contracts) for step in contracts.steps]) if contracts else (),
            micros_count_full=contracts is not None and contracts.micros != "tenth",
            flat_by=_in_new_york(flat.at, flat.zone) if flat else None,
            opens_at=_in_new_york(flat.opens, flat.zone) if flat and flat.opens else None,
            consistency_pct=share.percent if share else None,
            unlimited=_unlimited(daily, share),
        )


RULES: tuple[FirmRule, ...] = ("daily_loss", "trailing_drawdown", "contracts", "flat_time", "consistency")


def _unlimited(daily: DailyLoss | None, share: Consistency | None) -> tuple[FirmRule, ...]:
    says_none: list[FirmRule] = []
    if daily is not None and daily.none:
        says_none.append("daily_loss")
    if share is not None and share.none:
        says_none.append("consistency")
    return tuple(says_none)


def _in_new_york(clock: str, zone: Zone) -> str:
    """Return a time of day as New York's clock shows it at that moment."""
    at = time.fromisoformat(clock)
    hour = at.hour + (CHICAGO_IS_BEHIND_HOURS if zone == "America/Chicago" else 0)
    return f"{hour % 24:02d}:{at.minute:02d}"


# -- reading -------------------------------------------------------------------------------------------------------


def firm_named(setting: str) -> Firm:
    """Return the rules that ``FIRM`` names: ``topstep:50k``, or ``topstep`` where the file has one account.

    Raises ProfileError with one sentence.
    """
    name, colon, account = setting.strip().lower().partition(":")
    profile = read_profile(profile_path(name))
    if not colon and len(profile.accounts) == 1:
        account = next(iter(profile.accounts))
    if account not in profile.accounts:
        raise ProfileError(f"{name} has no account {account or '(none named)'}, it has: {', '.join(profile.accounts)}")
    return profile.firm(name, account)


def profile_path(name: str) -> Path:
    """Return the file of a firm. Raises ProfileError for a name that is none and for a firm without a file."""
    known = sorted(path.stem for path in FIRMS.glob("*.toml"))
    if not NAME.fullmatch(name) or name not in known:
        raise ProfileError(f"no firm is called {name[:40]!r}, there are: {', '.join(known)}")
    return FIRMS / f"{name}.toml"


def read_profile(path: Path) -> Profile:
    """Read and check one file. Raises ProfileError, which names every fault by the name of its line."""
    try:
        told = tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
    except OSError as error:
        raise ProfileError(f"{path.name} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProfileError(f"{path.name} is no TOML: {error}") from error
    accounts = told.pop("accounts", {})
    if not isinstance(accounts, dict):
        raise ProfileError(f"{path.name}: accounts: Expected tables, such as [accounts.50k]")
    named = {name: _converted(path, account, Account, f"accounts.{name}") for name, account in accounts.items()}
    profile = msgspec.structs.replace(_converted(path, {**told, "accounts": {}}, Profile, ""), accounts=named)
    faults = faults_of(profile)
    if faults:
        raise ProfileError(f"{path.name}: {'; '.join(faults)}")
    return profile


def _converted(path: Path, told: object, kind: type[KindT], where: str) -> KindT:
    """Return what a table says. Raises ProfileError with the line's name in front: msgspec's own has no accounts."""
    try:
        return msgspec.convert(told, kind)
    except msgspec.ValidationError as error:
        sentence, _, place = str(error).partition(" - at `$")
        line = ".".join(part for part in (where, place.strip("`.")) if part)
        raise ProfileError(f"{path.name}: {line}: {sentence}" if line else f"{path.name}: {sentence}") from error


def faults_of(profile: Profile) -> list[str]:
    """Return a sentence for each line that cannot be."""
    faults: list[str] = [] if profile.accounts else ["accounts: a firm needs at least one"]
    faults += _faults_of_groups("all", profile.all)
    for name, account in profile.accounts.items():
        where = f"accounts.{name}"
        if not NAME.fullmatch(name):
            faults.append(f"{where}: a name has small letters, digits and hyphens, at most 40")
        faults += _usd(f"{where}.start_balance", account.start_balance, least=Decimal(1))
        faults += _faults_of_groups(where, account)
        faults += _faults_of_drawdown(where, account, account.trailing_drawdown or profile.all.trailing_drawdown)
    return faults


def _faults_of_groups(where: str, groups: Groups) -> list[str]:
    faults = []
    for rule in RULES:
        group: Group | None = getattr(groups, rule)
        if group is not None:
            faults += _faults_of_source(f"{where}.{rule}", group)
    if groups.daily_loss:
        faults += _either(f"{where}.daily_loss.limit", groups.daily_loss.limit, groups.daily_loss.none)
    if groups.consistency:
        faults += _either(f"{where}.consistency.percent", groups.consistency.percent, groups.consistency.none)
    if groups.daily_loss:
        faults += _usd(f"{where}.daily_loss.limit", groups.daily_loss.limit, least=Decimal(1))
    if groups.trailing_drawdown:
        faults += _usd(f"{where}.trailing_drawdown.amount", groups.trailing_drawdown.amount, least=Decimal(1))
        faults += _usd(f"{where}.trailing_drawdown.stops_at", groups.trailing_drawdown.stops_at)
    if groups.contracts:
        faults += _faults_of_steps(f"{where}.contracts.steps", groups.contracts.steps)
    if groups.flat_time:
        faults += _faults_of_times(f"{where}.flat_time", groups.flat_time)
    share = groups.consistency.percent if groups.consistency else None
    if share is not None and not (share.is_finite() and 0 < share <= 100):
        faults.append(f"{where}.consistency.percent was {share}, it must be above 0 and at most 100")
    return faults


def _either(where: str, number: Decimal | None, none: bool | None) -> list[str]:
    return [f"{where}: say either the number or none = true"] if (number is None) is (none is None) else []


def _faults_of_source(where: str, group: Group) -> list[str]:
    faults = []
    if not re.fullmatch(r"https?://[^\s]{4,400}", group.source):
        faults.append(f"{where}.source must be a page's address, it was {group.source[:60]!r}")
    if (group.dated is None) is (group.read is None):
        faults.append(f"{where}: say either dated, the page's own date, or read, the day on which it was read")
    return faults


def _usd(where: str, amount: Decimal | None, least: Decimal = Decimal(0)) -> list[str]:
    if amount is None or (amount.is_finite() and least <= amount <= MOST_USD):
        return []
    return [f"{where} was {amount}, it must be from {least} to {MOST_USD} USD"]


def _faults_of_steps(where: str, steps: tuple[Step, ...]) -> list[str]:
    if not steps:
        return [f"{where} is empty"]
    profits = [step.profit for step in steps]
    numbers = [step.contracts for step in steps]
    faults = [fault for profit in profits for fault in _usd(where, profit)]
    faults += [
        f"{where} was {number} contracts, it must be a whole number from 1 to {MOST_CONTRACTS}"
        for number in numbers
        if not (number.is_finite() and 1 <= number <= MOST_CONTRACTS and number == int(number))
    ]
    if faults:
        return faults
    if profits[0] != 0 or profits != sorted(set(profits)):
        faults.append(f"{where}: profits begin with 0 and grow")
    if numbers != sorted(numbers):
        faults.append(f"{where}: a larger profit cannot allow fewer contracts")
    return faults


def _faults_of_times(where: str, flat: FlatTime) -> list[str]:
    told: dict[str, Any] = {"at": flat.at, "opens": flat.opens}
    faults = [
        f"{where}.{name} was {clock[:20]!r}, it must look like 16:59"
        for name, clock in told.items()
        if clock is not None and not re.fullmatch(r"([01]\d|2[0-2]):[0-5]\d", clock)
    ]
    if not faults and flat.opens is None and _in_new_york(flat.at, flat.zone) >= CME_ROLL:
        faults.append(f"{where}.opens: say when entries begin again after {flat.at}")
    if not faults and flat.opens == flat.at:
        faults.append(f"{where}.opens was {flat.at}, the flat time itself")
    return faults


def _faults_of_drawdown(where: str, account: Account, drawdown: Drawdown | None) -> list[str]:
    begins = account.start_balance
    if drawdown is None:
        return []
    if begins is None:
        return [f"{where}.trailing_drawdown needs start_balance"]
    if drawdown.amount >= begins:
        return [f"{where}.trailing_drawdown.amount was {drawdown.amount}, the account begins with {begins}"]
    return []
