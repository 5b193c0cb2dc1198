"""Apply a balance: believe it, or hold it as suspect until it is explained or confirmed (SPEC 5.6)."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from services.engine.model.account import Beliefs, Reading, Suspicion
from services.engine.model.bridge_commands import ConfirmTransfer, TakeSnapshot
from services.engine.model.events import DayEquityNoted
from services.engine.model.proof_events import BalanceExplained, BalanceSuspected, TransferConfirmed
from services.engine.model.replies import Done, Refusal, Reply
from services.engine.rules.beliefs import (
    figures_began_anew,
    figures_explain,
    fills_explain,
    is_of_another_account,
    reading_of,
    suspicion_of,
    tolerance,
)
from services.engine.rules.owner_fence import is_fenced_out
from services.engine.rules.refusals import refuse
from services.engine.steps.day import warn_of_daily_stop
from services.engine.steps.suspect_fills import prove_fills
from services.engine.transition import Transition
from wire.types import Usd

ZERO = Decimal(0)
SUSPECT_BECAUSE = {
    "jump": "{rest} USD of the balance {balance} are not explained by fills, prices or the broker's own figures",
    "other_account": "the balance {balance} is that of the account {account}, not of the one the desk reckons with",
    "loss_denied": "the balance {balance} shows a loss at the limit, the broker's own figures differ by {rest} USD",
    "books_denied": "the desk's books show a loss at the limit, the balance {balance} differs by {rest} USD",
}


def take_balance(transition: Transition, snapshot: TakeSnapshot) -> None:
    """Judge the balance of a snapshot. A suspect one closes the gate ``account`` and flattens nothing.

    A second bridge process that may not claim counts only for the account of the day (SPEC 8.2).
    """
    desk = transition.desk
    reading = reading_of(desk, snapshot, transition.now)
    if reading is None:
        return
    is_foreign = is_of_another_account(desk, reading)
    if is_foreign and is_fenced_out(desk, snapshot.instance, transition.now):
        return
    if not is_foreign and fills_explain(desk, reading):
        for symbol in desk.assets:
            prove_fills(transition, symbol, "balance")
        reading = reading_of(transition.desk, snapshot, transition.now) or reading
    suspicion = suspicion_of(transition.desk, reading, transition.now)
    if not is_foreign:
        beliefs = replace(transition.desk.live.beliefs, last=reading)
        is_explained = figures_explain(transition.desk, reading)
        _put(transition, replace(beliefs, explained=reading) if is_explained else beliefs)
    if suspicion is None:
        _believe(transition, reading)
    else:
        _suspect(transition, suspicion)


def _put(transition: Transition, beliefs: Beliefs) -> None:
    transition.change_desk(live=replace(transition.desk.live, beliefs=beliefs))


def _believe(transition: Transition, reading: Reading) -> None:
    """Believe the balance. The first of the day is its start, less what the books lost since the day rolled."""
    desk = transition.desk
    known = desk.live.beliefs
    start = desk.day.start_equity
    if start is None:
        start = reading.balance - reading.books
        transition.change_desk(day=replace(desk.day, start_equity=start))
        transition.record(DayEquityNoted(start))
    zero = known.figures_zero
    if reading.figures is not None and (zero is None or _begins_anew(transition, known, reading)):
        zero = reading.figures - (reading.balance - start)
    beliefs = replace(known, believed=reading, suspicion=None, figures_zero=zero)
    transition.change_desk(live=replace(transition.desk.live, equity=reading.balance, beliefs=beliefs))
    if known.suspicion is not None:
        transition.record(BalanceExplained(reading.balance))
    warn_of_daily_stop(transition)


def _begins_anew(transition: Transition, known: Beliefs, reading: Reading) -> bool:
    return known.believed is not None and figures_began_anew(known.believed, reading, tolerance(transition.desk))


def _suspect(transition: Transition, suspicion: Suspicion) -> None:
    known = transition.desk.live.beliefs.suspicion
    _put(transition, replace(transition.desk.live.beliefs, suspicion=suspicion))
    if known is not None and known.code == suspicion.code:
        return
    reading = suspicion.reading
    transition.record(BalanceSuspected(suspicion.code, reading.balance, suspicion.unexplained, reading.account))
    facts = {"balance": reading.balance, "unexplained": suspicion.unexplained, "account": reading.account}
    detail = SUSPECT_BECAUSE[suspicion.code].format(
        rest=f"{suspicion.unexplained:+.2f}", balance=f"{reading.balance:.2f}", account=reading.account
    )
    transition.alert("balance_suspect", detail, facts={"why": suspicion.code, **facts})


# -- transfers -----------------------------------------------------------------------------------------------------


def confirm_transfer(transition: Transition, command: ConfirmTransfer) -> Reply | Refusal:
    """Move the day's start by money that was paid in or out. It never reopens a stop, nor one that is awaited."""
    beliefs = transition.desk.live.beliefs
    suspicion = beliefs.suspicion
    if suspicion is None:
        return refuse("nothing_suspect", "every balance is explained")
    refusal = _why_not(transition, suspicion, beliefs.believed or suspicion.reading, command.amount)
    if refusal is not None:
        return refusal
    transition.record(TransferConfirmed(command.amount, command.reason))
    _move_start(transition, suspicion.reading, command.amount)
    reading = suspicion.reading
    believed = beliefs.believed or reading
    account = reading.account or believed.account
    believed = replace(believed, balance=believed.balance + command.amount, account=account)
    _put(transition, replace(transition.desk.live.beliefs, believed=believed, explained=None))
    again = suspicion_of(transition.desk, reading, transition.now)
    if again is None:
        _put(transition, replace(transition.desk.live.beliefs, last=reading))
        _believe(transition, reading)
    else:
        _put(transition, replace(transition.desk.live.beliefs, suspicion=again))
    return Done()


def _why_not(transition: Transition, suspicion: Suspicion, believed: Reading, amount: Usd) -> Refusal | None:
    """Return why a transfer of that amount cannot explain the balance, None when it can.

    ``believed`` is the suspect reading itself while no balance was ever believed.
    """
    rest = suspicion.unexplained
    assets = transition.desk.assets.values()
    was_flat = believed.is_flat and suspicion.reading.is_flat and not any(asset.trade for asset in assets)
    filled = [asset.last_fill_at for asset in assets if asset.last_fill_at is not None]
    if not was_flat or any(at >= believed.at for at in filled):
        detail = "a transfer is confirmed only while nothing is held or filled between the two balances"
        return refuse("transfer_refused", detail, unexplained=rest)
    names_another_account = amount == rest == 0  # the money is explained, only whose it is must be confirmed
    if not names_another_account and (amount * rest <= 0 or abs(amount) > abs(rest)):
        detail = f"{rest:+.2f} USD are unexplained, not {amount:+.2f}"
        return refuse("transfer_refused", detail, unexplained=rest, amount=amount)
    return None


def _move_start(transition: Transition, reading: Reading, amount: Usd) -> None:
    """Move the start. Where the broker tells no figures, a payout stays counted as a loss that nobody has proven."""
    day = transition.desk.day
    unproven = day.books.unproven + (min(amount, ZERO) if reading.figures is None else ZERO)
    awaited = None if day.books.awaited is None else replace(day.books.awaited, is_final=True)
    books = replace(day.books, unproven=unproven, awaited=awaited)
    start = None if day.start_equity is None else day.start_equity + amount
    transition.change_desk(day=replace(day, start_equity=start, books=books))
