"""The structure that docs/explanation/architecture.md describes: imports, clocks, environment, guards of the routes."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from routes.operator import operator_calls
from services.ops.config import Config
from tests.support.files import FileRules, name_of, tree_of
from tests.support.narrow import known
from tests.support.paths import REPOSITORY
from tests.support.url_map import guard_of, methods_of

LONGEST_FUNCTION = 45
LONGEST_FILE = 350
READERS = {"state_reader", "stream_reader", "events_reader", "bricks_reader", "journal_reader", "metrics_reader"} | {
    *("what_if_reader", "portfolio_reader", "auto_trade_reader", "proposals_reader", "signals_door", "chat_door")
}
GUARDS = {"public", "operator", "exit_door", "bridge", "service", "proposer", "tradingview"} | READERS
FLOORS = {  # the folder -> its floor: imports point to a lower floor, or to another folder on the same one
    "wire": 0,
    "serving": 0,
    "services.engine": 1,
    "services.market": 1,
    "services.stores": 2,
    "services.notifications": 3,
    "services.projections": 4,
    "services.desk": 5,
    "services.state_manager": 5,
    "services.access": 6,
    "services.views": 6,
    "services.history": 6,
    "services.journal": 6,
    "services.portfolio": 6,
    "services.live": 7,
    "services.ops": 7,
    "routes.http": 8,
    "routes.tradingview": 9,
    "routes.operator": 9,
    "routes.bridge": 9,
    "routes.readers": 9,
    "routes.services": 9,
    "routes.pages": 9,
    "app": 10,
    "cli": 10,
}
ENGINE_ORDER = ("model", "rules", "transition", "steps", "earlier", "decide")  # each imports itself and those before it
MAY_IMPORT = {  # the wire and the programs beside web -> the folders of this repository that they may import
    "wire": ("wire",),
    "serving": ("serving",),
    "bridge": ("bridge", "wire"),
    "tape": ("tape", "wire", "services.market"),
    "sidecar": ("sidecar", "wire", "services.market"),
    "feeds": ("feeds", "sidecar", "wire", "services.market"),
    "advisor": ("advisor", "sidecar", "wire", "services.market"),
    "feeds/prices": ("feeds.prices", "wire", "services.market"),
}
MOST_SERVICE_FOLDERS = 14
MOST_SERVICE_FLOORS = 7
MOST_ROUTE_FOLDERS = 7
FOLDER_GUARDS = {  # the folder of routes -> the guards that its views may have
    "tradingview": {"tradingview"},
    "operator": {"operator", "exit_door"},
    "bridge": {"bridge"},
    "readers": READERS,
    "services": {"service", "proposer", "proposals_reader"},
    "pages": {"public"},
}
UNKNOWN_TO_THE_ENGINE = {
    *("asyncio", "io", "logging", "os", "pathlib", "platform", "queue", "random", "secrets", "select", "shutil"),
    *("signal", "socket", "sqlite3", "ssl", "subprocess", "sys", "tempfile", "threading", "time", "urllib", "uuid"),
    *("http", "multiprocessing", "concurrent", "getpass", "locale", "builtins", "importlib", "ctypes", "structlog"),
}
CLOCKS_AND_RANDOM_NUMBERS = {
    "now",
    "utcnow",
    "today",
    "urandom",
    "uuid4",
    "uuid1",
    "token_hex",
    "monotonic",
    "perf_counter",
}
BUILT_IN_IO = {"open", "print", "input", "exec", "eval", "__import__", "breakpoint", "hash", "id"}
ENVIRONMENT_MAY_BE_READ = {"services/ops/config.py", "bridge/config.py", "sidecar/settings.py", "gunicorn.conf.py"}
CLOCKS = {"now", "utcnow", "today", "monotonic", "perf_counter", "time_ns", "monotonic_ns"}


RULES = FileRules()


def sources(*parts: str) -> list[Path]:
    """Return the Python files of these folders."""
    found = [path for part in parts for path in sorted((REPOSITORY / part).rglob("*.py"))]
    return found + ([REPOSITORY / "app.py"] if "app" in parts else [])


def module_of(path: Path) -> str:
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports_of(path: Path) -> tuple[str, ...]:
    """Return every module a file imports, also inside functions."""
    found: list[str] = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)} imports relatively"
            found.append(node.module or "")
    return tuple(found)


def folder_of(module: str) -> str | None:
    """Return the row of ``FLOORS`` that a module belongs to, None for a module of a library."""
    folders = [folder for folder in FLOORS if module == folder or module.startswith(folder + ".")]
    return max(folders, key=len, default=None)


def is_ours(module: str) -> bool:
    return module.split(".")[0] in {*MAY_IMPORT, "services", "routes", "app", "cli", "tests"}


WEB = [
    path
    for path in sources("wire", "serving", "services", "routes", "app")
    if path.name != "__init__.py" or path.read_text()
]
WEB.append(REPOSITORY / "cli.py")
ENGINE = sources("services/engine")
BRIDGE = sources("bridge")
TAPE = sources("tape")
SERVING = sources("serving")
SIDECAR = sources("sidecar")
FEEDS = sources("feeds")
ADVISOR = sources("advisor")
FEED_PRICES = sources("feeds/prices")
EVERYTHING = [*WEB, *BRIDGE, *TAPE, *SIDECAR, *FEEDS, *ADVISOR]
PACKAGES = {"services", "routes"}  # they hold the folders of the table and are no rows of it


@RULES.for_each(WEB)
def no_import_points_to_a_higher_floor(path: Path) -> None:
    own = folder_of(module_of(path))
    assert own is not None or module_of(path) in PACKAGES, f"{name_of(path)} is in no folder of the table"
    for module in imports_of(path):
        assert not module.startswith("tests"), f"{name_of(path)} imports {module}"
        imported = folder_of(module)
        if imported is not None and own is not None:
            assert FLOORS[imported] <= FLOORS[own], f"{module} is on a higher floor than {module_of(path)}"
        elif is_ours(module) and module.split(".")[0] in {"services", "routes"}:
            raise AssertionError(f"{module} is in no folder of the table")


def test_folders_import_each_other_in_no_circle() -> None:
    imports: dict[str, set[str]] = {folder: set() for folder in FLOORS}
    for path in WEB:
        own = folder_of(module_of(path))
        if own is None:
            continue  # the rule before this test names it, or it is a folder of folders
        others = {folder for module in imports_of(path) if (folder := folder_of(module)) is not None}
        imports[own] = imports.get(own, set()) | (others - {own})
    order = graphlib.TopologicalSorter(imports)
    order.prepare()  # raises CycleError, which names the circle


def test_there_are_few_folders_and_floors() -> None:
    services = {name for name in FLOORS if name.startswith("services.") and _is_folder(name)}
    routes = {name for name in FLOORS if name.startswith("routes.")}
    assert services == _folders_of("services")
    assert routes == _folders_of("routes")
    assert len(services) <= MOST_SERVICE_FOLDERS
    assert len({FLOORS[name] for name in services}) <= MOST_SERVICE_FLOORS
    assert len(routes) <= MOST_ROUTE_FOLDERS


def _is_folder(module: str) -> bool:
    return (REPOSITORY / module.replace(".", "/")).is_dir()


def _folders_of(package: str) -> set[str]:
    return {f"{package}.{path.parent.name}" for path in (REPOSITORY / package).glob("*/*.py")}


@RULES.for_each(ENGINE)
def inside_the_engine_imports_point_one_way(path: Path) -> None:
    inside = module_of(path).split(".")[2:]
    if not inside:
        return
    allowed = ENGINE_ORDER[: ENGINE_ORDER.index(inside[0]) + 1]
    for module in imports_of(path):
        if module.startswith("services.engine."):
            assert module.split(".")[2] in allowed, f"{module_of(path)} imports {module}"


@pytest.mark.parametrize("program", MAY_IMPORT)
def test_a_program_beside_web_imports_no_more_than_the_table_says(program: str) -> None:
    for path in sources(program):
        for module in imports_of(path):
            may = any(module == known or module.startswith(known + ".") for known in MAY_IMPORT[program])
            assert may or not is_ours(module), f"{module_of(path)} imports {module}"


@RULES.for_each(sources("wire"))
def the_wire_imports_msgspec_and_the_standard_library(path: Path) -> None:
    roots = {module.split(".")[0] for module in imports_of(path)}
    assert roots <= {"wire", "msgspec", *sys.stdlib_module_names}


@pytest.mark.parametrize("program", ["bridge.assembly", "tape.player", "feeds.assembly", "advisor.assembly"])
def test_a_program_beside_web_loads_no_engine(program: str) -> None:
    code = f"import sys, {program}; print([name for name in sys.modules if name.startswith('services.engine')])"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


@RULES.for_each(ENGINE)
def the_engine_imports_itself_msgspec_and_the_standard_library(path: Path) -> None:
    for module in imports_of(path):
        root = module.split(".")[0]
        is_own = module.startswith(("services.engine.", "wire."))
        assert is_own or root == "msgspec" or root in sys.stdlib_module_names, module
        assert root not in UNKNOWN_TO_THE_ENGINE, f"the engine imports {module}"


@RULES.for_each(ENGINE)
def the_engine_calls_no_clock_no_random_numbers_and_no_input_or_output(path: Path) -> None:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            assert name not in CLOCKS_AND_RANDOM_NUMBERS, f"{name}() in line {node.lineno}"
            assert isinstance(called, ast.Attribute) or name not in BUILT_IN_IO, f"{name}() in line {node.lineno}"
        assert not isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.Global | ast.Nonlocal)


@RULES.for_each(ENGINE)
def new_york_appears_in_the_engines_day_only(path: Path) -> None:
    assert path.name == "trading_day.py" or "zoneinfo" not in set(imports_of(path))


@RULES.for_each(FEED_PRICES)
def the_prices_of_feeds_have_no_clock_no_loop_and_no_input_or_output(path: Path) -> None:
    for module in imports_of(path):
        assert module.split(".")[0] not in UNKNOWN_TO_THE_ENGINE, f"{name_of(path)} imports {module}"
    for node in ast.walk(tree_of(path)):
        assert not isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.Global | ast.Nonlocal)
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            assert name not in CLOCKS, f"{name}() in line {node.lineno}"
            assert isinstance(called, ast.Attribute) or name not in BUILT_IN_IO, f"{name}() in line {node.lineno}"


@RULES.for_each([*EVERYTHING, REPOSITORY / "gunicorn.conf.py"])
def the_environment_is_read_in_one_place(path: Path) -> None:
    if name_of(path) in ENVIRONMENT_MAY_BE_READ:
        return
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Attribute):
            is_requests = isinstance(node.value, ast.Name) and node.value.id == "request"  # of WSGI, not the process's
            is_environ = node.attr in {"environ", "getenv", "environb", "putenv"} and not is_requests
            assert not is_environ, f"environment in line {node.lineno}"
        if isinstance(node, ast.ImportFrom) and node.module == "os":
            assert not {alias.name for alias in node.names} & {"environ", "getenv"}


@RULES.for_each(EVERYTHING)
def files_stay_readable(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    assert lines <= LONGEST_FILE, f"{name_of(path)} has {lines} lines"


@RULES.for_each(EVERYTHING)
def functions_stay_readable(path: Path) -> None:
    walked = ast.walk(tree_of(path))
    functions = (node for node in walked if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    long = {node.name: known(node.end_lineno) - node.lineno + 1 for node in functions}
    assert {name: lines for name, lines in long.items() if lines > LONGEST_FUNCTION} == {}


@RULES.for_each(EVERYTHING)
def nothing_prints_and_no_failure_is_swallowed(path: Path) -> None:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"bare except in line {node.lineno}"
            assert not all(isinstance(step, ast.Pass) for step in node.body), f"swallowed in line {node.lineno}"


@RULES.for_each([*ENGINE, *BRIDGE, *SERVING, *SIDECAR, *FEEDS, *ADVISOR])
def every_public_name_has_a_docstring(path: Path) -> None:
    tree = tree_of(path)
    if not tree.body:
        return
    assert ast.get_docstring(tree), f"{name_of(path)} has no docstring"
    named = [node for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)]
    without = [node.name for node in named if _needs_docstring(node) and ast.get_docstring(node) is None]
    assert without == []


def _needs_docstring(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """A public function or class does; a Struct that is only fields is described by its name."""
    if isinstance(node, ast.ClassDef):
        is_struct = any(isinstance(base, ast.Name) and base.id in {"Struct", "Event", "StrEnum"} for base in node.bases)
        only_fields = all(isinstance(step, ast.AnnAssign) for step in node.body)
        return not node.name.startswith("_") and not (is_struct and only_fields)
    is_one_line = len(node.body) == 1 and isinstance(node.body[0], ast.Return)
    return not node.name.startswith("_") and not is_one_line


def test_every_file_keeps_the_rules() -> None:
    assert RULES.faults() == []


# -- the guards of the routes ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """Web on a store of its own, with one route that declares no guard."""
    environ = {
        "TV_WEBHOOK_SECRET": "a-webhook-secret",
        "BRIDGE_HEARTBEAT_SECRET": "a-bridge-secret",
        "FLASK_SECRET_KEY": "a-flask-secret",
        "DASHBOARD_PASSWORD": "a-password",
        "SQLITE_PATH": str(tmp_path_factory.mktemp("structure") / "lockstep.sqlite"),
    }
    app = create_app(Config.from_env(environ))
    app.add_url_rule("/forgotten", endpoint="forgotten", view_func=lambda: "open", methods=["GET", "POST"])
    yield app
    app.extensions["lockstep.close"]()


def test_every_route_declares_who_may_call_it(web: Flask) -> None:
    unguarded = {
        rule.rule: getattr(web.view_functions[rule.endpoint], "__guard__", None)
        for rule in web.url_map.iter_rules()
        if rule.endpoint not in {"static", "forgotten"}
        and getattr(web.view_functions[rule.endpoint], "__guard__", None) not in GUARDS
    }
    assert unguarded == {}


def test_views_have_the_guards_of_their_folder(web: Flask) -> None:
    """A view with another guard than its folder's belongs into another folder."""
    for rule in web.url_map.iter_rules():
        if rule.endpoint in {"static", "forgotten"}:
            continue
        view = web.view_functions[rule.endpoint]
        package, folder, *_ = view.__module__.split(".")
        assert package == "routes"
        guard = guard_of(view)
        assert guard in FOLDER_GUARDS[folder], f"{rule.rule} is {guard} in routes/{folder}"


def test_a_view_without_a_guard_of_its_own_has_that_of_its_folder() -> None:
    calls = operator_calls("forgetful", __name__)
    calls.add_url_rule("/forgetful", view_func=lambda: "open", endpoint="forgetful")
    app = Flask("forgetful")
    app.register_blueprint(calls)
    assert guard_of(app.view_functions["forgetful.forgetful"]) == "operator"


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_route_without_a_guard_answers_401(web: Flask, method: str) -> None:
    response = getattr(web.test_client(), method)("/forgotten")
    assert response.status_code == 401
    assert response.json["ok"] is False


def test_without_session_key_or_secret_only_public_routes_answer(web: Flask) -> None:
    """Call every route without credentials: every one that is not public answers 401."""
    client = web.test_client()
    for rule in web.url_map.iter_rules():
        guard = getattr(web.view_functions[rule.endpoint], "__guard__", None)
        if rule.endpoint in {"static", "forgotten"} or guard == "public":
            continue
        path = rule.rule.replace("<order_id>", "0" * 32).replace("<path:filename>", "x")
        for method in methods_of(rule):
            status = client.open(path, method=method, json={}).status_code
            assert status == 401, f"{method} {path} answered {status} without credentials"
