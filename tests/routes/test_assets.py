"""What the pages load: one edition, compressed, kept by browsers for good."""

import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from routes.pages import assets
from tests.support.desk_process import DeskProcess
from tests.support.own_time import Stopwatch

pytestmark = pytest.mark.processes

SCRIPTS = assets.FOLDER / "js"
TEMPLATES = assets.FOLDER.parent / "templates"
IMPORTED = re.compile(r'(?:from|import) "([^"]+)"')
# What the modules of a folder may import: their own folder, and these.
MAY_IMPORT = {
    "ui": set(),
    "desk": {"ui"},
    "reading": {"desk"},
    "charts": {"ui", "desk", "reading"},
    "panels": {"ui", "desk", "reading", "charts"},
    "pages": {"ui", "desk", "reading", "charts", "panels"},
}
PRELOADING = {  # page → what it loads: the templates that name modules, and their entry modules
    "dashboard": (["pages/dashboard.html"], ["pages/dashboard.js"]),
    "journal": (
        ["pages/journal.html", "panels/pages_bar.html"],
        ["pages/journal/main.js", "pages/beside_the_desk.js"],
    ),
}
BUILT = "run `make static/vendor/lightweight-charts.js`"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path_factory.mktemp("assets")) as running:
        yield running


def addresses_of(page: str) -> set[str]:
    return set(re.findall(r'"(/static/[^"]+)"', page))


def test_every_asset_of_every_page_is_there_and_kept_for_good(desk: DeskProcess) -> None:
    operator = desk.operator()
    found = set().union(
        *(
            addresses_of(operator.get(path).text)
            for path in ("/", "/journal", "/portfolio", "/review", "/models", "/log", "/setup")
        )
    )
    assert len(found) > 60
    assert len({address.split("/")[2] for address in found}) == 1, "a page mixes two editions"
    for address in found:
        answer = operator.get(address)
        assert answer.status_code == 200, address
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Vary"] == "Accept-Encoding", "another cookie would be another file"


def imported_by(script: Path) -> list[Path]:
    return [(script.parent / name).resolve() for name in IMPORTED.findall(script.read_text("utf-8"))]


def loaded_with(script: Path, found: set[Path]) -> set[Path]:
    """Return all that a module imports, and what those import."""
    for imported in imported_by(script):
        if imported not in found:
            found.add(imported)
            loaded_with(imported, found)
    return found


def test_imports_of_scripts_stay_within_the_edition() -> None:
    """A module that names a whole address would come from another edition, or not at all."""
    for script in SCRIPTS.rglob("*.js"):
        for imported in IMPORTED.findall(script.read_text("utf-8")):
            assert imported.startswith("."), f"{script.name} imports {imported}"
            assert (script.parent / imported).is_file(), f"{script.name} imports {imported}"


def test_imports_of_scripts_point_one_way() -> None:
    for script in SCRIPTS.rglob("*.js"):
        folder = script.relative_to(SCRIPTS).parts[0]
        allowed = {folder, *MAY_IMPORT[folder]}
        imported = {path.relative_to(SCRIPTS).parts[0] for path in imported_by(script)}
        assert imported <= allowed, f"{script.relative_to(SCRIPTS)} imports from {imported - allowed}"


@pytest.mark.parametrize("page", PRELOADING)
def test_a_page_asks_at_once_for_every_module_that_it_will_need(page: str) -> None:
    """A module that is not named is found only when the one that imports it has arrived."""
    templates, entries = PRELOADING[page]
    lists = [
        re.findall(r"for module in \((.*?)\) %}", (TEMPLATES / name).read_text("utf-8"), re.S) for name in templates
    ]
    named = {SCRIPTS / f"{name}.js" for found in lists for name in re.findall(r"[\w/]+", " ".join(found))}
    needed = set().union(*(loaded_with(SCRIPTS / entry, set()) for entry in entries))
    assert named == needed


def test_another_edition_is_served_but_not_kept(desk: DeskProcess) -> None:
    address = next(iter(addresses_of(desk.stranger().get("/login").text)))
    older = desk.stranger().get(address.replace(address.split("/")[2], "0123456789ab"))
    assert older.status_code == 200
    assert older.headers["Cache-Control"] == "no-cache"


def test_the_library_comes_compressed_and_whole(desk: DeskProcess) -> None:
    page = desk.operator().get("/").text
    library = re.search(r'data-library="([^"]+)"', page)
    assert library, BUILT
    plain = desk.stranger().get(library[1], headers={"Accept-Encoding": "identity"})
    for encoding in ("gzip", "br", "zstd"):
        answer = desk.stranger().get(library[1], headers={"Accept-Encoding": encoding}, stream=True)
        sent = answer.raw.read(decode_content=False)
        assert answer.headers["Content-Encoding"] == encoding
        assert len(sent) < len(plain.content) / 2
    whole = desk.stranger().get(library[1], headers={"Accept-Encoding": "gzip"})
    assert whole.content == plain.content == (assets.FOLDER / "vendor" / "lightweight-charts.js").read_bytes()


def test_a_file_is_served_whole_or_not_modified(desk: DeskProcess) -> None:
    """A range of a compressed file is the compression of a range, which nobody could join."""
    [address] = [found for found in addresses_of(desk.stranger().get("/login").text) if found.endswith("base.css")]
    asked = {"Accept-Encoding": "gzip"}
    whole = desk.stranger().get(address, headers=asked)
    part = desk.stranger().get(address, headers={**asked, "Range": "bytes=0-99"})
    assert part.status_code == 200
    assert part.content == whole.content
    again = desk.stranger().get(address, headers={**asked, "If-None-Match": whole.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(("taken", "encoding"), [("gzip, br", "gzip"), ("br", None), ("gzip;q=0", None)])
def test_the_stream_is_compressed_by_gzip_alone(desk: DeskProcess, taken: str, encoding: str | None) -> None:
    with desk.operator().get("/api/stream", headers={"Accept-Encoding": taken}, stream=True) as answer:
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert answer.headers.get("Content-Encoding") == encoding
        assert "Accept-Encoding" in answer.headers["Vary"]


def test_the_manifest_makes_the_desk_installable(desk: DeskProcess) -> None:
    page = desk.stranger().get("/login").text
    address = re.search(r'rel="manifest" href="([^"]+)"', page)
    assert address
    answer = desk.stranger().get(address[1])
    assert answer.headers["Content-Type"].startswith("application/manifest+json")
    manifest = answer.json()
    assert manifest["start_url"] == "/"
    assert manifest["display"] == "standalone"
    sizes = {icon["sizes"] for icon in manifest["icons"]}
    assert {"192x192", "512x512"} <= sizes
    for icon in manifest["icons"]:
        told = Path(icon["src"])
        assert (assets.FOLDER / told).read_bytes()[:4] == b"\x89PNG"


def test_a_changed_file_is_a_new_edition_within_a_second(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.css"
    sheet.write_text("a")
    folder = assets.AssetFolder(tmp_path)
    first = folder.edition()
    sheet.write_text("b")
    os.utime(sheet, ns=(1, 1))  # the clock of the file system may be coarse
    watch = Stopwatch()
    assert watch.waits_until(lambda: folder.edition() != first) < 2
    second = folder.edition()
    (tmp_path / "more.css").write_text("c")
    watch.restart()
    assert watch.waits_until(lambda: folder.edition() not in (first, second)) < 2


def test_only_what_the_edition_was_made_of_is_kept(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.css"
    sheet.write_text("a")
    folder = assets.AssetFolder(tmp_path)
    edition = folder.edition()
    assert folder.holds(edition, "sheet.css")
    sheet.write_text("another")
    assert not folder.holds(edition, "sheet.css")
    sheet.unlink()
    assert not folder.holds(edition, "sheet.css")


def test_files_that_come_and_go_meanwhile_fail_no_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An editor's swap file, an update: the edition is made of what stays."""
    monkeypatch.setattr(assets, "LOOK_AGAIN_SECONDS", 0.0)
    (tmp_path / "sheet.css").write_text("a")
    folder, ended = assets.AssetFolder(tmp_path), threading.Event()

    def swap() -> None:
        while not ended.is_set():
            (tmp_path / "swap").write_text("x")
            (tmp_path / "swap").unlink()

    swapping = threading.Thread(target=swap)
    swapping.start()
    try:
        for _ in range(300):
            folder.edition()
    finally:
        ended.set()
        swapping.join()
    assert len(folder.edition()) == assets.DIGITS
