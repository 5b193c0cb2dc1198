"""Serves the files that pages load: styles, scripts, icons, browser libraries.

Every address contains the edition, a hash over all files. A new version has a new address, so browsers may keep files
for good, and modules that import each other by relative paths come from one edition.
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
LONG_ENOUGH_TO_COMPRESS = 1_000  # bytes; most answers to bridges and webhooks are shorter
COMPRESSED = (
    *("text/html", "text/css", "text/javascript", "image/svg+xml"),
    *("application/javascript", "application/manifest+json", "application/json"),
)
ENCODINGS = ["br", "zstd", "gzip"]  # smallest result first; at this level brotli takes 2 to 3 ms for 200 KB
BROTLI_LEVEL = 5

Listing = dict[str, tuple[int, int]]


def install(app: Flask) -> None:
    """Serve the folder under ``/static/<edition>/``, and compress long answers."""
    mimetypes.add_type("application/manifest+json", ".webmanifest")
    app.config.update(
        COMPRESS_MIMETYPES=list(COMPRESSED),
        COMPRESS_MIN_SIZE=LONG_ENOUGH_TO_COMPRESS,
        COMPRESS_ALGORITHM=ENCODINGS,
        COMPRESS_BR_LEVEL=BROTLI_LEVEL,
        COMPRESS_ALGORITHM_STREAMING=ENCODINGS,  # for files, which are streamed
    )
    Compress(app)
    app.add_url_rule("/static/<edition>/<path:filename>", endpoint="static", view_func=serve)
    app.url_defaults(_name_the_edition)
    app.add_template_global(vendor_url)


def serve(edition: str, filename: str) -> Response:
    """Return the whole file, never a range; browsers keep it for good if it belongs to the requested edition."""
    response = send_from_directory(FOLDER, filename, conditional=False)
    response.headers["Cache-Control"] = KEPT_FOR_GOOD if asset_folder.holds(edition, filename) else "no-cache"
    response.make_conditional(request)
    return response


def vendor_url(name: str) -> str | None:
    """Return the address of a browser library; None when ``make`` has not installed it."""
    path = f"{VENDOR}/{name}"
    return url_for("static", filename=path) if (FOLDER / path).is_file() else None


class AssetFolder:
    """The folder of files and its edition, the hash over all of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._checked_at = float("-inf")
        self._listing: Listing = {}
        self._edition = ""

    def edition(self) -> str:
        """Return the current edition; the folder is listed once a second, and read again when a file changed.

        When a file disappears during this (an editor, an update), the edition stays as it is until the next check.
        """
        if time.monotonic() - self._checked_at >= LOOK_AGAIN_SECONDS:
            with suppress(FileNotFoundError):
                self._check()
            self._checked_at = time.monotonic()
        return self._edition

    def holds(self, edition: str, name: str) -> bool:
        """Return whether the edition is current and the file unchanged since it was computed."""
        if edition != self.edition():
            return False
        with suppress(FileNotFoundError):
            return self._listing.get(name) == _mark(self._folder / name)
        return False

    def _check(self) -> None:
        paths = (path for path in sorted(self._folder.rglob("*")) if path.is_file())
        listing = {path.relative_to(self._folder).as_posix(): _mark(path) for path in paths}
        if listing != self._listing or not self._edition:
            self._edition = self._read(listing)
            self._listing = listing

    def _read(self, listing: Listing) -> str:
        digest = sha256()
        for name in listing:
            content = (self._folder / name).read_bytes()
            digest.update(f"{name} {len(content)}\n".encode() + content)
        return digest.hexdigest()[:DIGITS]


def _mark(path: Path) -> tuple[int, int]:
    """Return a file's time of change and its length. Raises FileNotFoundError."""
    found = path.stat()
    return found.st_mtime_ns, found.st_size


asset_folder = AssetFolder(FOLDER)


def _name_the_edition(endpoint: str, values: dict[str, Any]) -> None:
    if endpoint == "static":
        values.setdefault("edition", asset_folder.edition())
