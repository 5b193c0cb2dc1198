"""Dead letters, webhooks that could not be read: list them, and replay those that are bricks."""

from __future__ import annotations

from flask import Response
from msgspec import structs
from pydantic import ValidationError

from routes.http.describing import answers
from routes.http.errors import InvalidRequest
from routes.http.faults import first_fault
from routes.http.replies import answer, app_services, reply
from routes.operator import operator_calls
from routes.tradingview.messages import BrickBody
from routes.tradingview.webhooks import answer_to, brick_at
from services.engine.model.commands import CloseBrick
from services.engine.model.wording import Explanation
from services.live.activity import LogLine, brick_text
from services.projections.dead_letters import DeadLetter, last_dead_letters
from wire.answers import BrickAnswer, DeadLetterRow, DeadLettersAnswer
from wire.tradingview import STREAM_OF_PATH

dead_letters = operator_calls("dead_letters", __name__)

LETTERS_SHOWN = 200


@dead_letters.get("/api/dead-letters")
@answers(DeadLettersAnswer)
def show_dead_letters() -> Response:
    """Return the newest dead letters, webhooks that could not be read, newest first."""
    letters = last_dead_letters(app_services().manager.store, LETTERS_SHOWN)
    return reply(DeadLettersAnswer(dead_letters=tuple(_letter_row(letter) for letter in letters)))


@dead_letters.post("/api/dead-letters/<sequence>/replay")
@answers(BrickAnswer, errors=(404, 409, 422))
def replay_dead_letter(sequence: str) -> Response:
    """Replay a brick exactly as it was received; a brick that is late has no effect."""
    letters = last_dead_letters(app_services().manager.store, LETTERS_SHOWN)
    letter = next((letter for letter in letters if str(letter.sequence) == sequence), None)
    if letter is None:
        raise InvalidRequest("sequence", f"no dead letter {sequence[:20]!r} is among the newest {LETTERS_SHOWN}", 404)
    brick = _brick_of(letter)
    outcome = app_services().manager.submit(brick)
    body, code = answer_to(outcome, brick.unread)
    line = LogLine(
        ts=app_services().manager.now,
        kind=letter.path.strip("/"),
        asset=brick.asset,
        text=brick_text(brick),
        outcome=f"{code}, tried again",
        why=Explanation(code, facts={"tried_again": True}),
    )
    app_services().activity.note("tradingview", line)
    return answer(outcome, body)


def _brick_of(letter: DeadLetter) -> CloseBrick:
    """Read the dead letter as a brick with a time. Raises InvalidRequest."""
    if letter.path not in STREAM_OF_PATH:
        raise InvalidRequest(
            "", f"{letter.path} takes no bricks: only bricks can be tried again", 409, "not_replayable"
        )
    try:
        brick = brick_at(letter.path, BrickBody.model_validate_json(letter.body), letter.at)
    except ValidationError as error:
        field, reason = first_fault(error)
        raise InvalidRequest(field, reason, 422) from None
    except InvalidRequest as error:
        raise InvalidRequest("", str(error), 422) from None
    if brick.bar_at is None:
        raise InvalidRequest("", "the brick tells no time: nobody can say whether it came late", 409, "not_replayable")
    return brick


def _letter_row(letter: DeadLetter) -> DeadLetterRow:
    return DeadLetterRow(**structs.asdict(letter), can_be_tried_again=letter.path in STREAM_OF_PATH)
