"""The command ``flask desk rolls``: when each contract is replaced by the next one."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from services.market.calendars import NEW_YORK
from services.market.contract_dates import coming_rolls
from services.market.instruments import TRADABLE, ContractSize
from services.market.session import trade_date

LINE = "{asset:<7} {contract:<8} {rolls_on:<11} {last_trade:<17} {follows}"


@click.command("rolls")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="The trade date to look from; today unless given.")
@click.option("--count", type=click.IntRange(1, 24), default=2, show_default=True, help="Rolls of each asset.")
@click.option("--size", type=click.Choice(["micro", "full"]), default="micro", show_default=True)
def rolls_command(on: datetime | None, count: int, size: ContractSize) -> None:
    """Print the next rolls of every futures contract: the first trade date of its follower, and its last trade."""
    day = on.date() if on else trade_date(datetime.now(UTC))
    head = {"asset": "asset", "contract": "contract", "rolls_on": "rolls on", "last_trade": "last trade (NY)"}
    click.echo(LINE.format(**head, follows="then"))
    for asset in TRADABLE:
        rolls = coming_rolls(asset, day, size, count)
        for roll in rolls:
            ends = f"{roll.last_trade.astimezone(NEW_YORK):%Y-%m-%d %H:%M}"
            click.echo(
                LINE.format(
                    asset=asset,
                    contract=roll.contract,
                    rolls_on=roll.rolls_on.isoformat(),
                    last_trade=ends,
                    follows=roll.next_contract,
                )
            )
        if not rolls:
            click.echo(f"{asset:<7} never rolls")
