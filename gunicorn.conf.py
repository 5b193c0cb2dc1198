"""How gunicorn serves web: one process, one event loop, threads by caller (docs/explanation/serving.md)."""

import os
import sys
from typing import TYPE_CHECKING

from services.ops import logs

bind = f"{os.environ.get('HOST', '0.0.0.0')}:{os.environ.get('PORT', '8000')}"  # noqa: S104 - platforms need it
worker_class = "serving.worker.FrontWorker"
workers = 1  # the writer lives in the process: a second worker would be a second writer
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
    "it must be 1. The desk lives in its process: every other worker would refuse what reaches it.\n"
)

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter


def on_starting(server: "Arbiter") -> None:
    """Refuse to start more than one worker, whatever asks for it. WEB_CONCURRENCY does not: ``workers`` above wins."""
    if server.cfg.workers != 1:
        sys.stderr.write(TOO_MANY_WORKERS.format(workers=server.cfg.workers))
        sys.exit(GIVES_UP)
