"""The gunicorn worker that serves `app:app` through the front. `gunicorn.conf.py` names it."""

from __future__ import annotations

from typing import Any, ClassVar

from uvicorn.config import Config
from uvicorn.server import Server
from uvicorn_worker import UvicornWorker  # type: ignore[import-untyped]  # it comes without types

from serving.front import Front
from serving.limits import IDLE_SECONDS
from serving.protocol import DeskProtocol


class DeskServer(Server):
    """uvicorn's server; before it waits for what is open it ends the streams and pauses."""

    def __init__(self, config: Config, front: Front, end_streams: Any) -> None:
        super().__init__(config)
        self._front = front
        self._end_streams = end_streams

    async def shutdown(self, sockets: Any = None) -> None:
        """End the streams, then stop."""
        self._end_streams()
        self._front.wake()
        await super().shutdown(sockets)
        self._front.stop()
        self._captured_signals.clear()  # raised once more they would end the process before the desk is let go


class FrontWorker(UvicornWorker):  # type: ignore[misc]  # it comes without types
    """Wraps the Flask application in the front."""

    CONFIG_KWARGS: ClassVar[dict[str, Any]] = {
        "loop": "uvloop",
        "http": DeskProtocol,
        "ws": "none",
        "lifespan": "off",
        "interface": "asgi3",
        "proxy_headers": False,
        "server_header": False,
        "access_log": False,
        "timeout_keep_alive": IDLE_SECONDS,
        "timeout_graceful_shutdown": 2,
        "backlog": 2048,
    }

    async def _serve(self) -> None:
        from app import end_streams  # the application is loaded by now

        flask_app = self.wsgi
        front = Front(flask_app)
        flask_app.extensions["lockstep"].manager.on_change(front.wake)
        self.config.app = front
        server = DeskServer(self.config, front, lambda: end_streams(flask_app))
        self._install_sigquit_handler()
        await server.serve(sockets=self.sockets)
