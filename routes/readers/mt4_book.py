"""Ask the advisor of the MT4 account, without a thread that waits, and say why when it cannot be known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from routes.http.later import is_first_call, remembered, wait_for
from routes.http.replies import app_services
from services.ops.advisor_calls import AdvisorAway, AdvisorCall, TooManyAsk
from services.ops.beside_call import Answered, Question
from services.portfolio.history import Span
from services.portfolio.mt4 import DEALS_PATH, POSITIONS_PATH, STATUS_PATH, Mt4Book, book_of, fills_of
from services.portfolio.mt4_course import last_heard
from services.portfolio.whole import NO_MT4
from wire.portfolio import Absent, PortfolioFill

WAITS_SECONDS = 2.5  # a call ends by itself within 2 s; only one whose name is being looked up does not
OK = 200
TOO_MANY = "the advisor is being asked as much at once as it may be"
UNREADABLE = "what the advisor says of the MT4 account cannot be used"
REFUSED = "the advisor tells nothing of the MT4 account, it answers {status}"
LET_GO = "no MT4 account is connected; {account} was, and was last heard at {at} UTC"
Answer = TypeVar("Answer")
Missing = tuple[Absent, ...]


class Mt4Asked:
    """Questions that are under way at the same time."""

    def __init__(self, calls: Sequence[AdvisorCall]) -> None:
        self._calls = calls

    @property
    def is_over(self) -> bool:
        """Whether each has something to say."""
        return all(call.is_over for call in self._calls)

    def give_up(self) -> None:
        """End them: nobody waits for them any more."""
        for call in self._calls:
            call.give_up()

    def answers(self) -> list[Answered]:
        """Return the answers in the order of the questions. Raises AdvisorAway."""
        return [call.result() for call in self._calls]


def mt4_book() -> tuple[Mt4Book, Missing]:
    """Return the MT4 account, and why it is missing when nobody tells of it. Raises `Paused` while it is asked.

    Nothing connected is nothing missing, unless an account was heard lately: what that one holds is unknown now.
    """
    book, absent = _told(POSITIONS_PATH, book_of, NO_MT4)
    manager = app_services().manager
    if absent or book.is_connected or app_services().config.agent_url is None:
        return book, absent
    last = last_heard(manager.store, manager.now)
    if last is None:
        return book, ()
    return book, _absent(LET_GO.format(account=last.account, at=f"{last.at:%Y-%m-%d %H:%M}"))


def mt4_fills(span: Span) -> tuple[tuple[PortfolioFill, ...], Missing]:
    """Return the fills of the MT4 account in a span, as `mt4_book` does."""
    return _told(DEALS_PATH, lambda status, deals: fills_of(status, deals, span.first, span.last), ())


def _told(path: str, read: Callable[[bytes, bytes | None], Answer], nothing: Answer) -> tuple[Answer, Missing]:
    """Ask for the account and for what a path says of it.

    Where ``AGENT_URL`` is off there is no MT4, so nothing is missing.
    """
    if is_first_call():
        if app_services().config.agent_url is None:
            return nothing, ()
        try:
            asked = _begun(STATUS_PATH, path)
        except AdvisorAway as error:
            return nothing, _absent(str(error))
        except TooManyAsk:
            return nothing, _absent(TOO_MANY)
        wait_for(lambda: asked.is_over, WAITS_SECONDS, "advisor", asked, asked.give_up)
    waited: Mt4Asked = remembered(None)
    if not waited.is_over:
        waited.give_up()
    try:
        status, told = waited.answers()
    except AdvisorAway as error:
        return nothing, _absent(str(error))
    if status.status != OK:
        return nothing, _absent(REFUSED.format(status=status.status))
    try:
        return read(status.body, told.body if told.status == OK else None), ()
    except ValueError:  # msgspec's errors are ones
        return nothing, _absent(UNREADABLE)


def _begun(*paths: str) -> Mt4Asked:
    """Begin all questions, or none. Raises AdvisorAway, TooManyAsk."""
    calls: list[AdvisorCall] = []
    try:
        calls.extend(app_services().advisor.ask("agent", Question(path)) for path in paths)
    except (AdvisorAway, TooManyAsk):
        for call in calls:
            call.give_up()
        raise
    return Mt4Asked(calls)


def _absent(reason: str) -> Missing:
    return (Absent(source="mt4", reason=reason),)
