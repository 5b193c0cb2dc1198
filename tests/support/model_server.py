"""A stand-in for a model's server, on a real port: Ollama's calls and ``/v1/chat/completions``, as told to behave."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self

from msgspec import Struct

Ending = Literal["well", "drop", "early", "garbage", "deep", "silence", "endless", "endless_line"]
MODEL = "llama3:8b"
LONGEST_SILENCE = 30.0


class Reply(Struct, frozen=True, kw_only=True):
    """What the model says to one request: text piece by piece, then tools that it asks for, and how the stream ends."""

    text: tuple[str, ...] = ()
    calls: tuple[tuple[str, Any], ...] = ()
    ends: Ending = "well"
    status: int = 200
    pause_seconds: float = 0.0


def says(*text: str, **more: Any) -> Reply:
    return Reply(text=text, **more)


def asks(name: str, arguments: Any = None, **more: Any) -> Reply:
    return Reply(calls=((name, {} if arguments is None else arguments),), **more)


class ModelServer:
    """The server. `asked` are the bodies of the chats; the last of `replies` is given again and again."""

    def __init__(self, *replies: Reply, knows_tools: bool = True, vram: int = 0, model: str = MODEL) -> None:
        self.replies = deque(replies or [says("Nothing.")])
        self.knows_tools = knows_tools
        self.vram = vram
        self.model = model
        self.asked: list[dict[str, Any]] = []
        self.was_left = threading.Event()
        """Somebody hung up while an answer was written."""

        self.is_ending = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._caller())
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def next_reply(self) -> Reply:
        return self.replies.popleft() if len(self.replies) > 1 else self.replies[0]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_ending.set()
        self._http.shutdown()
        self._http.server_close()

    def _caller(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Caller(_Caller):
            models = server

        return Caller


class _Caller(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    models: ModelServer

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def do_GET(self) -> None:
        running = [{"model": self.models.model, "size": 10, "size_vram": self.models.vram}]
        answers: dict[str, Any] = {
            "/api/version": {"version": "0.12.0"},
            "/api/ps": {"models": running},
            "/api/tags": {"models": [{"model": self.models.model}]},
            "/v1/models": {"object": "list", "data": [{"id": self.models.model}]},
        }
        self._answer(200, answers[self.path]) if self.path in answers else self._answer(404, {"error": "not found"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if body["model"] != self.models.model:
            self._answer(404, {"error": f"model '{body['model']}' not found"})
        elif self.path == "/api/show":
            knows = ["completion", "thinking", "tools"] if self.models.knows_tools else ["completion"]
            self._answer(200, {"capabilities": knows, "details": {}, "model_info": {}})
        else:
            self.models.asked.append(body)
            self._chat(body, self.models.next_reply())

    def _chat(self, body: dict[str, Any], reply: Reply) -> None:
        if body.get("tools") and not self.models.knows_tools:
            self._answer(400, {"error": f"registry.ollama.ai/library/{MODEL} does not support tools"})
        elif reply.status != 200:
            self._answer(reply.status, {"error": "it does not go"})
        else:
            try:
                self._stream(reply)
            except OSError:
                self.models.was_left.set()
                self.close_connection = True

    def _stream(self, reply: Reply) -> None:
        is_ollama = self.path == "/api/chat"
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson" if is_ollama else "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for line in _ollama_lines(reply, self.models.model) if is_ollama else _openai_lines(reply):
            self._chunk(line)
            time.sleep(reply.pause_seconds)
        if reply.ends == "silence":
            self._be_silent()
        if reply.ends in ("drop", "silence"):
            self.close_connection = True
            return
        while reply.ends in ("endless", "endless_line") and not self.models.is_ending.is_set():
            self._chunk(self._more(reply, is_ollama=is_ollama))
        self.wfile.write(b"0\r\n\r\n")

    def _more(self, reply: Reply, *, is_ollama: bool) -> bytes:
        if reply.ends == "endless_line":
            return b"x" * 60_000
        again = Reply(text=("and so on " * 20,), ends="early")
        return b"".join(_ollama_lines(again, self.models.model) if is_ollama else _openai_lines(again))

    def _be_silent(self) -> None:
        """Send nothing until the caller hangs up."""
        self.connection.settimeout(LONGEST_SILENCE)
        if self.connection.recv(1) == b"":
            self.models.was_left.set()

    def _chunk(self, line: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(line), line))
        self.wfile.flush()

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def _ollama_lines(reply: Reply, model: str) -> Iterator[bytes]:
    """Give the lines of ``/api/chat``: each is a JSON object, the last one says that it is done."""

    def line(message: dict[str, Any], *, done: bool = False) -> bytes:
        whole = {"model": model, "created_at": "2026-06-24T14:30:00Z", "message": message, "done": done}
        return json.dumps(whole).encode() + b"\n"

    for piece in reply.text:
        yield line({"role": "assistant", "content": piece})
    for name, arguments in reply.calls:
        call = {"function": {"name": name, "arguments": arguments}}
        yield line({"role": "assistant", "content": "", "tool_calls": [call]})
    if reply.ends == "garbage":
        yield b"<html>this is no model</html>\n"
    elif reply.ends == "deep":
        yield b"[" * 100_000 + b"\n"
    elif reply.ends == "well":
        yield line({"role": "assistant", "content": ""}, done=True)


def _openai_lines(reply: Reply) -> Iterator[bytes]:
    """Give the events of ``/v1/chat/completions``; arguments come in two parts, as they do from real servers."""

    def event(delta: dict[str, Any]) -> bytes:
        return b"data: " + json.dumps({"choices": [{"index": 0, "delta": delta}]}).encode() + b"\n\n"

    yield event({"role": "assistant", "content": None})
    for piece in reply.text:
        yield event({"content": piece})
    for index, (name, arguments) in enumerate(reply.calls):
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        begun = {"name": name, "arguments": text[:1]}
        yield event({"tool_calls": [{"index": index, "id": f"call-{index}", "type": "function", "function": begun}]})
        yield event({"tool_calls": [{"index": index, "function": {"arguments": text[1:]}}]})
    if reply.ends == "garbage":
        yield b"data: <html>this is no model</html>\n\n"
    elif reply.ends == "deep":
        yield b"data: " + b"[" * 100_000 + b"\n\n"
    elif reply.ends == "well":
        yield b'data: {"choices": [], "usage": {"total_tokens": 7}}\n\n'
        yield b"data: [DONE]\n\n"
