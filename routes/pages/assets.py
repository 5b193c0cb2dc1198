"""What the pages load: styles, scripts, icons, browser libraries.

Every address names the edition, a hash over all of them, so browsers keep what they have for good and a new version
is a new address; modules that import each other by relative paths stay within one edition.
"""

from __future__ import annotations

import mimetypes
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from flask import Flask, Response, request, send_from_directory, url_for
from flask_compress import Compress

FOLDER = Path(__file__).resolve().parents[2] / "static"
VENDOR = "vendor"
KEPT_FOR_GOOD = "public, max-age=31536000, immutable"
DIGITS = 12
LOOK_AGAIN_SECONDS = 1.0
LONG_ENOUGH_TO_COMPRESS = 1_000  # bytes: most answers to bridges and webhooks are shorter
COMPRESSED = (
    *("text/html", "text/css", "text/javascript", "image/svg+xml"),
    *("application/javascript", "application/manifest+json", "application/json"),
)
ENCODINGS = ["br", "zstd", "gzip"]  # the smallest first; at this level brotli takes 2 to 3 ms for 200 KB
BROTLI_LEVEL = 5

Listing = dict[str, tuple[int, int]]


def install(app: Flask) -> None:
    """Serve the folder under ``/static/<edition>/``, and whatever is long compressed."""
    mimetypes.add_type("application/manifest+json", ".webmanifest")
    app.config.update(
        COMPRESS_MIMETYPES=list(COMPRESSED),
        COMPRESS_MIN_SIZE=LONG_ENOUGH_TO_COMPRESS,
        COMPRESS_ALGORITHM=ENCODINGS,
        COMPRESS_BR_LEVEL=BROTLI_LEVEL,
        COMPRESS_ALGORITHM_STREAMING=ENCODINGS,  # files are streamed
    )
    Compress(app)
    app.add_url_rule("/static/<edition>/<path:filename>", endpoint="static", view_func=serve)
    app.url_defaults(_name_the_edition)
    app.add_template_global(vendor_url)


def serve(edition: str, filename: str) -> Response:
    """Return a file whole, never a range of it; browsers keep it for good when it is of the edition they asked for."""
    response = send_from_directory(FOLDER, filename, conditional=False)
    response.headers["Cache-Control"] = KEPT_FOR_GOOD if shelf.holds(edition, filename) else "no-cache"
    response.make_conditional(request)
    return response


def vendor_url(name: str) -> str | None:
    """Return the address of a browser library; None when ``make`` has not installed it."""
    path = f"{VENDOR}/{name}"
    return url_for("static", filename=path) if (FOLDER / path).is_file() else None


class Shelf:
    """The folder and its present edition: the hash over all files as they lie there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._looked_at = float("-inf")
        self._listing: Listing = {}
        self._edition = ""

    def edition(self) -> str:
        """Return the present edition; the folder is looked at once a second, its files are read when one changed.

        A file that goes while it is looked at (an editor, an update) leaves the edition as it was until the next look.
        """
        if time.monotonic() - self._looked_at >= LOOK_AGAIN_SECONDS:
            with suppress(FileNotFoundError):
                self._look()
            self._looked_at = time.monotonic()
        return self._edition

    def holds(self, edition: str, name: str) -> bool:
        """Whether the file still is what it was when the edition was made."""
        if edition != self.edition():
            return False
        with suppress(FileNotFoundError):
            return self._listing.get(name) == _mark(self._folder / name)
        return False

    def _look(self) -> None:
        paths = (path for path in sorted(self._folder.rglob("*")) if path.is_file())
        listing = {path.relative_to(self._folder).as_posix(): _mark(path) for path in paths}
        if listing != self._listing or not self._edition:
            self._edition, self._listing = self._read(listing), listing

    def _read(self, listing: Listing) -> str:
        digest = sha256()
        for name in listing:
            content = (self._folder / name).read_bytes()
            digest.update(f"{name} {len(content)}\n".encode() + content)
        return digest.hexdigest()[:DIGITS]


def _mark(path: Path) -> tuple[int, int]:
    """Return when a file was changed and how long it is. Raises FileNotFoundError."""
    found = path.stat()
    return found.st_mtime_ns, found.st_size


shelf = Shelf(FOLDER)


def _name_the_edition(endpoint: str, values: dict[str, Any]) -> None:
    if endpoint == "static":
        values.setdefault("edition", shelf.edition())
