"""The one MT4 connection of this desk: which account is connected, and which one a call reaches.

The paper account and the desk stay connected over a restart. An account at MetaApi does not: its token is in memory
alone, so it is connected anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal

import structlog

from advisor.mt4.account import Mt4Account
from advisor.mt4.asked import OrderAsked
from advisor.mt4.closings import CLOSE, NamedClosings
from advisor.mt4.desk import DESK, DeskAccount
from advisor.mt4.file import Mt4File
from advisor.mt4.metaapi import MetaApiAccount
from advisor.mt4.paper import PAPER, PaperAccount
from advisor.mt4.prices import utc_now
from advisor.mt4.requests import RequestBook
from advisor.mt4.sent import SentBook
from advisor.mt4.settings import Mt4Settings
from advisor.mt4.untold import UntoldClosings
from sidecar.problems import ServiceRefused
from wire.mt4 import AccountState, CloseAnswer, ConnectBody, Mt4Route, StatusAnswer, TradeAnswer

logger = structlog.get_logger(__name__)
SECONDS_TO_LEAVE = 1.0
Opens = Callable[[str, str], MetaApiAccount]
"""Returns an account at MetaApi by its id and token, not yet reached."""


class Mt4Service:
    """Which account is connected. Everything runs on one loop."""

    def __init__(
        self, settings: Mt4Settings, file: Mt4File, paper: PaperAccount, desk: DeskAccount, opens: Opens
    ) -> None:
        """Nothing is connected but what the file names."""
        self._closings = NamedClosings(RequestBook(file, CLOSE), SentBook(file, utc_now))
        self._untold = UntoldClosings()
        self._settings = settings
        self._file = file
        self._paper = paper
        self._desk = desk
        self._opens = opens
        self._connected: Mt4Account | None = None
        self._is_restored = False
        self._changing = asyncio.Lock()
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def route(self) -> Mt4Route:
        """Where a trade goes."""
        return self._settings.route

    async def connect(self, asked: ConnectBody) -> AccountState:
        """Connect an account in place of the one before. Raises `ServiceRefused`; then nothing has changed."""
        async with self._changing:
            account = self._account(asked)
            try:
                state = await account.connect()
                before = self._restored()
                self._file.connect(account.id if account.kind != "metaapi" else None)
            except BaseException:
                await self._let_go(account)
                raise
            self._connected = account
            if before is not None:
                await self._let_go(before)
        logger.info("an MT4 account is connected", kind=account.kind, account=account.id)
        return state

    async def disconnect(self) -> None:
        """Let the account go. What is under way there is answered first."""
        async with self._changing:
            account = self._restored()
            self._file.connect(None)
            self._connected = None
            if account is not None:
                await self._let_go(account)
                logger.info("the MT4 account is disconnected", kind=account.kind, account=account.id)

    async def end(self) -> None:
        """Close the connections of the account without forgetting who is connected: the program ends."""
        if self._connected is not None:
            await self._let_go(self._connected)
        if self._leaving:
            await asyncio.wait(self._leaving, timeout=SECONDS_TO_LEAVE)

    async def _let_go(self, account: Mt4Account) -> None:
        """Let an account go, and close its connections once what is under way there is answered."""
        await account.disconnect()
        leaving = asyncio.create_task(account.left())
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)

    async def status(self) -> StatusAnswer:
        """Return whether an account is connected, and how it is."""
        account = self._restored()
        if account is None:
            return StatusAnswer(connected=False, account=None, route=self.route)
        state = await account.status()
        return StatusAnswer(connected=True, account=state, route=self.route, unknown=account.unknown())

    @property
    def account(self) -> Mt4Account:
        """The connected account. Raises `ServiceRefused` (409) without one."""
        account = self._restored()
        if account is None:
            raise ServiceRefused("not_connected", "no MT4 account is connected: connect one first", reason="none")
        return account

    async def trade(self, order: OrderAsked) -> TradeAnswer:
        """Send an order the way of the route: no trade goes to MetaApi by itself."""
        account = self.account
        if account.kind != "metaapi":
            return await account.trade(order)
        if self.route == "desk":
            return await self._desk.trade(order)
        raise ServiceRefused(
            "trade_refused",
            "an account at MetaApi is read and closed here, and trades go to the paper account: connect that one",
            reason="route_paper",
        )

    async def close(self, position_id: str, volume: Decimal | None, name: str | None) -> CloseAnswer:
        """Close a position of the connected account, once for each `name`.

        Without a name a call that is like one whose caller had gone is that one, sent again: it is answered as it was.
        """
        account = self.account
        if name is not None:
            return await self._closings.close(account, position_id, volume, name)
        untold = None if volume is None else self._untold.take(account.id, position_id, volume)
        return await account.close(position_id, volume) if untold is None else untold

    def was_not_told(self, account: str, volume: Decimal | None, answer: CloseAnswer) -> None:
        """Keep what a closing in part was answered whose caller had gone. All of a position cannot be closed twice."""
        if volume is not None:
            self._untold.keep(account, volume, answer)

    def _account(self, asked: ConnectBody) -> Mt4Account:
        """Return the account that a body names. Without a name it is that of the route."""
        name = asked.account_id or self.route
        if name in (PAPER, DESK):
            if name != self.route:
                raise ServiceRefused("unknown_account", f"MT4_ROUTE is {self.route}: there is no account {name}")
            return self._paper if name == PAPER else self._desk
        return self._opens(name, asked.token or self._own_token(name))

    def _own_token(self, name: str) -> str:
        token, own = self._settings.token, self._settings.account
        if token is None:
            raise ServiceRefused("token_refused", "no token was sent, and METAAPI_TOKEN is not set")
        if own not in (None, name):
            raise ServiceRefused("token_refused", "METAAPI_TOKEN is for METAAPI_ACCOUNT alone: send a token with it")
        return token

    def _restored(self) -> Mt4Account | None:
        """Return the connected account; after a start the one that the file names, if it is still that of the route."""
        if not self._is_restored:
            if self._file.connected() == self.route:
                self._connected = self._paper if self.route == PAPER else self._desk
            self._is_restored = True
        return self._connected
