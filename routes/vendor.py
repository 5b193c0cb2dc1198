"""Browser libraries from ``static/vendor``: named with a hash of what is in them, kept by browsers for good."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from flask import Flask, Response, current_app, request, url_for

FOLDER = "vendor"
KEPT_FOR_GOOD = "public, max-age=31536000, immutable"
DIGITS = 16


def install(app: Flask) -> None:
    """Give templates ``vendor_url(name)``, and let browsers keep what they asked for by its present hash."""
    app.add_template_global(vendor_url)
    app.after_request(_keep_for_good)


def vendor_url(name: str) -> str | None:
    """Return the address of a library; None when ``make`` has not installed it."""
    digest = _present_digest(name)
    return None if digest is None else url_for("static", filename=f"{FOLDER}/{name}", v=digest)


def _keep_for_good(response: Response) -> Response:
    filename = (request.view_args or {}).get("filename", "") if request.endpoint == "static" else ""
    folder, _, name = filename.partition("/")
    asked = request.args.get("v")
    if folder == FOLDER and asked is not None and response.status_code in (200, 304) and asked == _present_digest(name):
        response.headers["Cache-Control"] = KEPT_FOR_GOOD
    return response


def _present_digest(name: str) -> str | None:
    path = Path(current_app.static_folder or "") / FOLDER / name
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return _digest(path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=16)
def _digest(path: Path, changed_at: int, size: int) -> str:
    """Return the file's hash; asked again when the file was changed."""
    return sha256(path.read_bytes()).hexdigest()[:DIGITS]
