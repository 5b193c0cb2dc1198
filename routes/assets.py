"""What the pages load: styles, scripts, icons, browser libraries.

Every address names the edition, a hash over all of them, so browsers keep what they have for good and a new version
is a new address; modules that import each other by relative paths stay within one edition.
"""

from __future__ import annotations

import mimetypes
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

from flask import Flask, Response, send_from_directory, url_for
from flask_compress import Compress

FOLDER = Path(__file__).resolve().parent.parent / "static"
VENDOR = "vendor"
KEPT_FOR_GOOD = "public, max-age=31536000, immutable"
DIGITS = 12
LOOK_AGAIN_SECONDS = 1.0
LONG_ENOUGH_TO_COMPRESS = 1_000  # bytes: most answers to bridges and webhooks are shorter
COMPRESSED = (
    *("text/html", "text/css", "text/javascript", "image/svg+xml"),
    *("application/javascript", "application/manifest+json", "application/json"),
)
ENCODINGS = ["zstd", "br", "gzip"]

Listing = tuple[tuple[str, int, int], ...]


def install(app: Flask) -> None:
    """Serve the folder under ``/static/<edition>/``, and whatever is long compressed."""
    mimetypes.add_type("application/manifest+json", ".webmanifest")
    app.config.update(
        COMPRESS_MIMETYPES=list(COMPRESSED),
        COMPRESS_MIN_SIZE=LONG_ENOUGH_TO_COMPRESS,
        COMPRESS_ALGORITHM=ENCODINGS,
        COMPRESS_ALGORITHM_STREAMING=ENCODINGS,  # files are streamed
    )
    Compress(app)
    app.add_url_rule("/static/<edition>/<path:filename>", endpoint="static", view_func=serve)
    app.url_defaults(_name_the_edition)
    app.add_template_global(vendor_url)


def serve(edition: str, filename: str) -> Response:
    """Return a file; browsers keep it for good when they asked for the present edition."""
    response = send_from_directory(FOLDER, filename, conditional=True)
    response.headers["Cache-Control"] = KEPT_FOR_GOOD if edition == shelf.edition() else "no-cache"
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
        self._listing: Listing = ()
        self._edition = ""

    def edition(self) -> str:
        """Return the present edition; the folder is looked at once a second, its files are read when one changed."""
        if time.monotonic() - self._looked_at >= LOOK_AGAIN_SECONDS:
            listing = self._list()
            if listing != self._listing:
                self._edition, self._listing = self._read(listing), listing
            self._looked_at = time.monotonic()
        return self._edition

    def _list(self) -> Listing:
        found = ((path, path.stat()) for path in sorted(self._folder.rglob("*")) if path.is_file())
        return tuple((path.relative_to(self._folder).as_posix(), at.st_mtime_ns, at.st_size) for path, at in found)

    def _read(self, listing: Listing) -> str:
        digest = sha256()
        for name, _, size in listing:
            digest.update(f"{name} {size}\n".encode())
            digest.update((self._folder / name).read_bytes())
        return digest.hexdigest()[:DIGITS]


shelf = Shelf(FOLDER)


def _name_the_edition(endpoint: str, values: dict[str, Any]) -> None:
    if endpoint == "static":
        values.setdefault("edition", shelf.edition())
