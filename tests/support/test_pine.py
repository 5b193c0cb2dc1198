"""The translator of Pine: what it knows it runs as Pine does, and what it does not know it refuses with the line."""

from __future__ import annotations

import pytest

from tests.support.pine import NA, Bar, PineError, PineScript, PineUnknown, Symbol

HEAD = "//@version=6\n"
FLAT = Bar(time=0, ohlc=(1.0, 1.0, 1.0, 1.0))


def function(body: str, name: str = "f") -> object:
    """Return a function of a script that has nothing else."""
    return PineScript(HEAD + body).globals[name]


def value_of(expression: str) -> object:
    """Return what a Pine expression is, with the variables n = 7, x = 2.5, s = "a" and yes = true."""
    script = PineScript(
        f'{HEAD}int n = 7\nfloat x = 2.5\nstring s = "a"\nbool yes = true\nint none = na\nv = {expression}\n'
    )
    script.run(FLAT)
    return script.globals["v"]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2 * 3 - 4", 3),
        ("(1 + 2) * -3", -9),
        ("n / 2", 3.5),
        ("math.floor(n / 2)", 3),
        ("math.floor(-n / 2)", -4),
        ("math.ceil(-n / 2)", -3),
        ("math.round(x)", 3),
        ("math.round(-x)", -2),
        ("math.round(5250.200000000001, 8)", 5250.2),
        ("math.abs(-n)", 7),
        ("n > 6 and not (x > 3) or n == 0", True),
        ("n < 7 or n != 7", False),
        ("yes ? n > 8 ? 1 : 2 : 3", 2),
        ('s + \'b\' + "\\""', 'ab"'),
        ('str.replace_all("a\\\\b\\"", "\\\\", "/")', 'a/b"'),
        ("str.tostring(n)", "7"),
        ("str.tostring(1700000000000)", "1700000000000"),
        ("str.tostring(0.5)", "0.5"),
        ("str.tostring(-37.63)", "-37.63"),
        ("str.tostring(100.0)", "100"),
        ("str.tostring(none)", "NaN"),
        ('str.tonumber("2.5") * 2', 5.0),
        ('array.join(array.from("a", "b"), ",")', "a,b"),
        ("array.size(array.from(1, 2, 3))", 3),
        ("na(none)", True),
        ("na(none + 1)", True),
        ("none > 1", False),
        ("na(close)", False),
    ],
)
def test_an_expression_is_what_pine_makes_of_it(expression: str, value: object) -> None:
    found = value_of(expression)
    assert found == value
    assert type(found) is type(value)


def test_functions_types_loops_and_state() -> None:
    script = PineScript(
        HEAD
        + """type Count
    string name
    int of = 0
    int last

add(array<Count> counts, int much) =>
    int sum = 0
    for count in counts
        if count.name == "odd" and much != 2
            count.of := count.of + much
        else if count.name == "none"
            count.of := -1
        else
            int twice = much
            while twice > 0
                twice := twice - 1
                count.of := count.of + 1
        count.last := much
        sum := sum + count.of
    sum

var array<Count> counts = array.new<Count>()
if barstate.isfirst
    for name in array.from("odd", "even", "none")
        array.push(counts, Count.new(name))
int total = add(counts, 3)
"""
    )
    script.run(FLAT)
    assert script.globals["total"] == 5
    script.run(FLAT)
    assert script.globals["total"] == 11
    assert [(count.name, count.of, count.last) for count in script.globals["counts"]] == [
        ("odd", 6, 3),
        ("even", 6, 3),
        ("none", -1, 3),
    ]


@pytest.mark.parametrize(
    ("script", "line"),
    [
        ("int x = 1", 1),
        (HEAD + "x = ta.sma(close, 5)", 2),
        (HEAD + "x = close[1]", 2),
        (HEAD + "x = 7 % 2", 2),
        (HEAD + "x = y", 2),
        (HEAD + "x = f(1)\nf(int a) =>\n    a", 2),
        (HEAD + "x = 1\nx = 2", 3),
        (HEAD + "x := 1", 2),
        (HEAD + "x = na", 2),
        (HEAD + "x = close == na", 2),
        (HEAD + "x = syminfo.mintik", 2),
        (HEAD + "x = math.floor", 2),
        (HEAD + "x = array.new<Brick>()", 2),
        (HEAD + "x = 'a\\q'", 2),
        (HEAD + "x = 1 2", 2),
        (HEAD + "x = (1", 2),
        (HEAD + "x += 1", 2),
        (HEAD + "f(int a) =>\n    a := 1\n    a", 3),
        (HEAD + "g = 1\nf(int a) =>\n    g := 1\n    a", 4),
        (HEAD + "f(int a) =>\n    b = a", 2),
        (HEAD + "f(a) =>\n    a", 2),
        (HEAD + "f(int a) => a", 2),
        (HEAD + "method f(int a) =>\n    a", 2),
        (HEAD + "if close > 1\n    int a = 1\nx = a", 4),
        (HEAD + "if close > 1\n  x = 1", 3),
        (HEAD + "if close > 1\nx = 1", 2),
        (HEAD + "for i = 0 to 9\n    i", 2),
        (HEAD + "switch close\n    x = 1", 2),
        (HEAD + "varip int x = 1", 2),
        (HEAD + "type T\n    int a\n        int b", 4),
        (HEAD + "type T\n    whole a", 3),
        (HEAD + "    x = 1", 2),
    ],
    ids=lambda value: value.removeprefix(HEAD).replace("\n", " / ") if isinstance(value, str) else "",
)
def test_what_is_not_known_is_refused_with_its_line(script: str, line: int) -> None:
    with pytest.raises(PineUnknown) as refused:
        PineScript(script)
    assert refused.value.line == line


@pytest.mark.parametrize(
    "statement",
    [
        "int x = 1.5",
        "string x = 1",
        "bool x = na",
        "x = close ? 1 : 2",
        "x = close > 0 and 1",
        "x = 'a' + 1",
        "int x = 1\nx := 1.5",
        "runtime.error('no')",
        "alert('a', 'alert.freq_all')",
        "type T\n    int a\nT t = T.new(1.5)",
        "type T\n    int a\nT t = T.new(1)\nt.b := 1",
        "for x in close\n    y = x",
    ],
)
def test_what_stops_a_script_stops_it(statement: str) -> None:
    with pytest.raises((PineError, TypeError)):
        PineScript(HEAD + statement).run(FLAT)


def test_a_function_keeps_the_types_of_its_parameters() -> None:
    whole = function("f(int a) =>\n    a + 1")
    assert callable(whole)
    assert whole(1) == 2
    assert whole(NA) is NA
    with pytest.raises(PineError, match="is no int"):
        whole(1.5)


@pytest.mark.parametrize(
    ("is_confirmed", "is_realtime", "alerts"), [(True, True, 1), (False, True, 0), (True, False, 0)]
)
def test_an_alert_fires_at_the_close_of_a_realtime_bar(is_confirmed: bool, is_realtime: bool, alerts: int) -> None:
    script = PineScript(HEAD + 'alert("x", alert.freq_once_per_bar_close)')
    bar = Bar(time=0, ohlc=FLAT.ohlc, is_confirmed=is_confirmed, is_realtime=is_realtime)
    assert len(script.run(bar)) == alerts


def test_inputs_and_the_symbol_are_given() -> None:
    source = (
        HEAD + 'float unit = input.float(1.0, "Unit: price")\nstring name = syminfo.prefix + ":" + syminfo.ticker\n'
    )
    script = PineScript(source, Symbol("NQ1!"), {"Unit": 4.0})
    script.run(FLAT)
    assert (script.globals["unit"], script.globals["name"]) == (4.0, "CME_MINI:NQ1!")
