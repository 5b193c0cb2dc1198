"""The house keeps its own rules (DESIGN): who imports whom, where time and the environment live, who may call what."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import create_app
from services.ops.config import Config

HOUSE = Path(__file__).resolve().parent.parent
LONGEST_FUNCTION = 45
LONGEST_FILE = 350
GUARDS = {"public", "operator", "bridge", "state_reader", "stream_reader", "metrics_reader", "tradingview"}
LAYERS = {
    "wire": -1,
    "services.engine": 0,
    "services": 1,
    "routes": 2,
    "app": 3,
    "cli": 4,
}  # imports point to the same or a lower one
UNKNOWN_TO_THE_ENGINE = {
    *("asyncio", "io", "logging", "os", "pathlib", "platform", "queue", "random", "secrets", "select", "shutil"),
    *("signal", "socket", "sqlite3", "ssl", "subprocess", "sys", "tempfile", "threading", "time", "urllib", "uuid"),
    *("http", "multiprocessing", "concurrent", "getpass", "locale", "builtins", "importlib", "ctypes", "structlog"),
}
CLOCKS_AND_DICE = {"now", "utcnow", "today", "urandom", "uuid4", "uuid1", "token_hex", "monotonic", "perf_counter"}
BUILT_IN_IO = {"open", "print", "input", "exec", "eval", "__import__", "breakpoint", "hash", "id"}
ENVIRONMENT_MAY_BE_READ = {"services/ops/config.py", "bridge/config.py", "gunicorn.conf.py"}


def sources(*parts: str) -> list[Path]:
    """Return the Python files of these parts of the house."""
    found = [path for part in parts for path in sorted((HOUSE / part).rglob("*.py"))]
    return found + ([HOUSE / "app.py"] if "app" in parts else [])


def name_of(path: Path) -> str:
    return path.relative_to(HOUSE).as_posix()


def module_of(path: Path) -> str:
    parts = path.relative_to(HOUSE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> Iterator[str]:
    """Yield every module a file imports, wherever in it the import stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)} imports relatively"
            yield node.module or ""


def layer_of(module: str) -> int | None:
    """Return the layer of one of our modules, None for a stranger."""
    prefixes = [prefix for prefix in LAYERS if module == prefix or module.startswith(prefix + ".")]
    return LAYERS[max(prefixes, key=len)] if prefixes else None


WEB = sources("wire", "services", "routes", "app", "cli")
ENGINE = sources("services/engine")
BRIDGE = sources("bridge")
EVERYTHING = [*WEB, *BRIDGE]


@pytest.mark.parametrize("path", WEB, ids=name_of)
def test_imports_point_one_way(path):
    own = layer_of(module_of(path))
    for module in imports_of(path):
        layer = layer_of(module)
        assert layer is None or layer <= own, f"{module} lies above {module_of(path)}"
        assert not module.startswith(("tests", "bridge")), f"{module_of(path)} imports {module}"


@pytest.mark.parametrize("path", ENGINE, ids=name_of)
def test_the_engine_imports_itself_msgspec_and_the_standard_library(path):
    for module in imports_of(path):
        root = module.split(".")[0]
        is_own = module.startswith(("services.engine.", "wire."))
        assert is_own or root == "msgspec" or root in sys.stdlib_module_names, module
        assert root not in UNKNOWN_TO_THE_ENGINE, f"the engine asks {module}"


@pytest.mark.parametrize("path", ENGINE, ids=name_of)
def test_the_engine_asks_no_clock_no_dice_and_no_outside(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            assert name not in CLOCKS_AND_DICE, f"{name}() in line {node.lineno}"
            assert isinstance(called, ast.Attribute) or name not in BUILT_IN_IO, f"{name}() in line {node.lineno}"
        assert not isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.Global | ast.Nonlocal)


@pytest.mark.parametrize("path", ENGINE, ids=name_of)
def test_new_york_appears_in_the_engines_day_only(path):
    assert path.name == "trading_day.py" or "zoneinfo" not in set(imports_of(path))


@pytest.mark.parametrize("path", [*EVERYTHING, HOUSE / "gunicorn.conf.py"], ids=name_of)
def test_the_environment_is_read_in_one_place(path):
    if name_of(path) in ENVIRONMENT_MAY_BE_READ:
        return
    for node in ast.walk(ast.parse(path.read_text())):
        is_environ = isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "environb", "putenv"}
        is_import = isinstance(node, ast.ImportFrom) and node.module == "os"
        assert not is_environ, f"environment in line {node.lineno}"
        assert not (is_import and {alias.name for alias in node.names} & {"environ", "getenv"})


@pytest.mark.parametrize("path", BRIDGE, ids=name_of)
def test_the_bridge_shares_nothing_with_web_but_the_wire(path):
    strangers = {"services", "routes", "app", "flask"}
    assert not strangers & {module.split(".")[0] for module in imports_of(path)}


@pytest.mark.parametrize("path", EVERYTHING, ids=name_of)
def test_files_stay_readable(path):
    lines = len(path.read_text().splitlines())
    assert lines <= LONGEST_FILE, f"{name_of(path)} has {lines} lines"


@pytest.mark.parametrize("path", EVERYTHING, ids=name_of)
def test_functions_stay_readable(path):
    functions = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef))
    long = {node.name: node.end_lineno - node.lineno + 1 for node in functions}
    assert {name: lines for name, lines in long.items() if lines > LONGEST_FUNCTION} == {}


@pytest.mark.parametrize("path", EVERYTHING, ids=name_of)
def test_nothing_prints_and_no_failure_is_swallowed(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"bare except in line {node.lineno}"
            assert not all(isinstance(step, ast.Pass) for step in node.body), f"swallowed in line {node.lineno}"


@pytest.mark.parametrize("path", [*ENGINE, *BRIDGE], ids=name_of)
def test_every_public_name_says_what_it_promises(path):
    tree = ast.parse(path.read_text())
    if not tree.body:
        return
    assert ast.get_docstring(tree), f"{name_of(path)} has no docstring"
    silent = [node.name for node in tree.body if _needs_docstring(node) and ast.get_docstring(node) is None]
    assert silent == []


def _needs_docstring(node: ast.stmt) -> bool:
    """A public function or class does; a Struct that is only fields speaks by its name."""
    if isinstance(node, ast.ClassDef):
        is_struct = any(isinstance(base, ast.Name) and base.id in {"Struct", "Event", "StrEnum"} for base in node.bases)
        only_fields = all(isinstance(step, ast.AnnAssign) for step in node.body)
        return not node.name.startswith("_") and not (is_struct and only_fields)
    if isinstance(node, ast.FunctionDef):
        is_one_line = len(node.body) == 1 and isinstance(node.body[0], ast.Return)
        return not node.name.startswith("_") and not is_one_line
    return False


# -- the doors ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    """Web on a store of its own, with one route that nobody guards."""
    environ = {
        "TV_WEBHOOK_SECRET": "a-webhook-secret",
        "BRIDGE_HEARTBEAT_SECRET": "a-bridge-secret",
        "FLASK_SECRET_KEY": "a-flask-secret",
        "DASHBOARD_PASSWORD": "a-password",
        "SQLITE_PATH": str(tmp_path_factory.mktemp("house") / "lockstep.sqlite"),
    }
    app = create_app(Config.from_env(environ))
    app.add_url_rule("/forgotten", endpoint="forgotten", view_func=lambda: "open", methods=["GET", "POST"])
    yield app
    app.extensions["lockstep.close"]()


def test_every_route_declares_who_may_call_it(web):
    unguarded = {
        rule.rule: getattr(web.view_functions[rule.endpoint], "__guard__", None)
        for rule in web.url_map.iter_rules()
        if rule.endpoint not in {"static", "forgotten"}
        and getattr(web.view_functions[rule.endpoint], "__guard__", None) not in GUARDS
    }
    assert unguarded == {}


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_route_that_nobody_guards_is_closed(web, method):
    response = getattr(web.test_client(), method)("/forgotten")
    assert response.status_code == 401
    assert response.json["ok"] is False


def test_nobody_gets_in_without_what_the_guard_asks_for(web):
    """Knock at every door with nothing in hand; only the public ones may open."""
    client = web.test_client()
    for rule in web.url_map.iter_rules():
        guard = getattr(web.view_functions[rule.endpoint], "__guard__", None)
        if rule.endpoint in {"static", "forgotten"} or guard == "public":
            continue
        path = rule.rule.replace("<order_id>", "0" * 32).replace("<path:filename>", "x")
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            status = client.open(path, method=method, json={}).status_code
            assert status == 401, f"{method} {path} answered {status} to nobody"
