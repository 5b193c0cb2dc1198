"""How gunicorn serves web: one process, many threads, streams that end first (docs/explanation/architecture.md)."""

import os
import signal
import sys
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING

from services.ops import logs

bind = f"{os.environ.get('HOST', '0.0.0.0')}:{os.environ.get('PORT', '8000')}"  # noqa: S104 - platforms need it
worker_class = "gthread"
workers = 1  # the writer lives in the process: a second worker would be a second writer
threads = 128
keepalive = 75
graceful_timeout = 2
timeout = 60
max_requests = 0
accesslog = None
logconfig_dict = logs.for_libraries()
control_socket_disable = True
logs.take_over_the_process()

GIVES_UP = 4  # gunicorn's APP_LOAD_ERROR
TOO_MANY_WORKERS = (
    "Lockstep cannot start: {workers} workers were asked for (--workers on the command line or in GUNICORN_CMD_ARGS), "
    "it must be 1. The desk lives in its process: every other worker would refuse what reaches it. "
    "More callers at once need threads, of which there are {threads}.\n"
)

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter
    from gunicorn.workers.gthread import ThreadWorker


def on_starting(server: "Arbiter") -> None:
    """Refuse to start more than one worker, whatever asks for it. WEB_CONCURRENCY does not: ``workers`` above wins."""
    if server.cfg.workers != 1:
        sys.stderr.write(TOO_MANY_WORKERS.format(workers=server.cfg.workers, threads=server.cfg.threads))
        sys.exit(GIVES_UP)


def post_worker_init(worker: "ThreadWorker") -> None:
    """Shorten gunicorn's wait for slow callers, and end streams before gunicorn waits for them."""
    from gunicorn.workers import gthread

    from app import app, end_streams

    # gunicorn waits in its main loop, up to 2 s, for a caller to hang up after a closing answer: nobody else is served
    gthread.util.close_graceful = partial(gthread.util.close_graceful, timeout=0.05)
    gthread.STOP_KEEPALIVE_LINGER = 0.2  # seconds; pages and bridges reconnect by themselves

    leave = signal.getsignal(signal.SIGTERM)

    def end_streams_first(signum: int, frame: FrameType | None) -> None:
        end_streams(app)
        if callable(leave):
            leave(signum, frame)

    signal.signal(signal.SIGTERM, end_streams_first)
