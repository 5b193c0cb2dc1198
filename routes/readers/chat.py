"""The chat with the agent: one answer as JSON, or its events as they come."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from pydantic import Field

from routes.http.describing import answers
from routes.http.guards import GuardedCalls, caller_key
from routes.http.later import stream_from
from routes.http.parsing import OperatorBody, accepts
from routes.http.replies import AppServices, app_services
from routes.readers.asking import away, told, waited_for
from services.ops.advisor_calls import AdvisorAway
from services.ops.advisor_chat import ALIVE, CHAT, EVENT_STREAM, ChatCall
from services.ops.beside_call import JSON, Question
from wire.agent import LONGEST_MESSAGE, ChatAnswer, ChatBody
from wire.encoding import encode

chat = GuardedCalls("chat", __name__, "chat_door")

CHAT_PATH = "/api/v1/chat"
NAME_PATTERN = r"^[A-Za-z0-9._:-]+$"
ShortName = Annotated[str, Field(min_length=1, max_length=80, pattern=NAME_PATTERN)]


class ChatAsked(OperatorBody):
    """A message to the agent; `conversation_id` of an earlier answer goes on with it."""

    message: Annotated[str, Field(min_length=1, max_length=LONGEST_MESSAGE)]
    user_id: ShortName | None = None
    conversation_id: ShortName | None = None
    stream: bool = False


@chat.post("/api/chat")
@answers(ChatAnswer, errors=(404, 429, 503), also=EVENT_STREAM)
@accepts(ChatAsked)
def talk(body: ChatAsked) -> Response:
    """Ask the agent, which reads the desk and changes nothing.

    Without `stream` the answer comes whole, within 35 s. With it the answer is `text/event-stream`: `token`,
    `tool_call`, `tool_result`, and at the end `done` with the whole answer, or `error`.
    """
    services = app_services()
    try:
        call = waited_for(lambda: _begin(services, body), CHAT.seconds + ALIVE.seconds)
        if not call.is_streaming:
            return told(call.result(), ChatAnswer)
    except AdvisorAway as error:
        return away(str(error))
    stream_from(call)
    response = Response(mimetype=EVENT_STREAM)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _begin(services: AppServices, body: ChatAsked) -> ChatCall:
    sent = ChatBody(**body.model_dump())
    accepts_kind = EVENT_STREAM if body.stream else JSON
    question = Question(CHAT_PATH, method="POST", body=encode(sent), accepts=accepts_kind)
    is_of_key = caller_key() is not None

    def made(url: str, asked: Question) -> ChatCall:
        return ChatCall(url, asked, streams=body.stream)

    return services.advisor.begin("agent", question, made, is_of_key=is_of_key)
