"""Firm profiles: what stored pages said, checked line by line; a wrong line is named and nothing is taken."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import Result

from cli import create_cli
from services.engine.model.firm import Firm, ScalingStep, TrailingDrawdown
from services.ops.firm_profiles import FIRMS, RULES, ProfileError, firm_named, read_profile
from tests.ops.test_config import complaint, config

FILES = sorted(FIRMS.glob("*.toml"))
TODAY = date(2026, 12, 1)
GOOD = """
name = "Example"
[all.flat_time]
at = "15:10"
opens = "17:00"
zone = "America/Chicago"
source = "https://example.com/hours"
read = 2026-12-01
[accounts.50k]
title = "Evaluation"
start_balance = 50000
[accounts.50k.daily_loss]
limit = 1000
source = "https://example.com/loss"
dated = 2026-02-13
[accounts.50k.trailing_drawdown]
amount = 2000.5
follows = "real_time"
stops_at = 100
source = "https://example.com/drawdown"
read = 2026-12-01
[accounts.50k.contracts]
steps = [{ profit = 0, contracts = 2 }, { profit = 1500, contracts = 3 }]
micros = "tenth"
source = "https://example.com/contracts"
read = 2026-12-01
[accounts.50k.consistency]
none = true
source = "https://example.com/consistency"
read = 2026-12-01
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "example.toml"
    path.write_text(text, "utf-8")
    return path


def fault(folder: Path, before: str, after: str) -> str:
    assert before in GOOD
    with pytest.raises(ProfileError) as refused:
        read_profile(written(folder, GOOD.replace(before, after, 1)))
    return str(refused.value)


def flask(*words: object) -> Result:
    return create_cli().test_cli_runner().invoke(args=["desk", "firm", *map(str, words)])


def test_a_profile_becomes_the_rules_to_keep(tmp_path: Path) -> None:
    profile = read_profile(written(tmp_path, GOOD))
    assert profile.firm("example", "50k") == Firm(
        name="example",
        account="50k",
        start_balance=Decimal(50_000),
        daily_loss=Decimal(1000),
        drawdown=TrailingDrawdown(Decimal("2000.5"), "real_time", Decimal(100)),
        scaling=(ScalingStep(Decimal(0), Decimal(2)), ScalingStep(Decimal(1500), Decimal(3))),
        flat_by="16:10",  # Chicago is an hour behind New York all year
        opens_at="18:00",
        unlimited=("consistency",),
    )


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("limit = 1000", "limt = 1000", "accounts.50k.daily_loss: Object contains unknown field `limt`"),
        ('name = "Example"', 'name = "Example"\nfee = 3', "contains unknown field `fee`"),
        ("limit = 1000", "limit = -1000", "accounts.50k.daily_loss.limit was -1000, it must be from 1 to"),
        ("limit = 1000", "limit = 0", "accounts.50k.daily_loss.limit was 0"),
        ("limit = 1000", "limit = inf", "accounts.50k.daily_loss.limit was Infinity"),
        ("limit = 1000", "limit = nan", "accounts.50k.daily_loss.limit was NaN"),
        ("limit = 1000", 'limit = "lots"', "accounts.50k.daily_loss.limit"),
        ("limit = 1000", "limit = 1000\nnone = true", "accounts.50k.daily_loss.limit: say either the number or none"),
        ("limit = 1000\n", "", "accounts.50k.daily_loss.limit: say either the number or none"),
        ("none = true", "none = false", "accounts.50k.consistency.none"),
        ("none = true", "percent = 101", "accounts.50k.consistency.percent was 101"),
        ("amount = 2000.5", "amount = 50000", "trailing_drawdown.amount was 50000, the account begins with 50000"),
        ("start_balance = 50000", "start_balance = -1", "accounts.50k.start_balance was -1"),
        ("start_balance = 50000\n", "", "accounts.50k.trailing_drawdown needs start_balance"),
        ('follows = "real_time"', 'follows = "hourly"', "accounts.50k.trailing_drawdown.follows"),
        ("stops_at = 100", "stops_at = -100", "accounts.50k.trailing_drawdown.stops_at was -100"),
        ("profit = 0,", "profit = 10,", "accounts.50k.contracts.steps: profits begin with 0 and grow"),
        ("profit = 1500", "profit = 0", "accounts.50k.contracts.steps: profits begin with 0 and grow"),
        ("contracts = 3", "contracts = 1", "a larger profit cannot allow fewer contracts"),
        ("contracts = 3", "contracts = 2.5", "was 2.5 contracts, it must be a whole number"),
        ("contracts = 2 }", "contracts = 0 }", "was 0 contracts"),
        ('at = "15:10"', 'at = "25:10"', "all.flat_time.at was '25:10', it must look like 16:59"),
        ('opens = "17:00"', 'opens = "15:10"', "all.flat_time.opens was 15:10, the flat time itself"),
        ('at = "15:10"\nopens = "17:00"', 'at = "17:00"', "all.flat_time.opens: say when entries begin again"),
        ('zone = "America/Chicago"', 'zone = "Chicago"', "all.flat_time.zone"),
        ('source = "https://example.com/loss"', 'source = "heard it"', "daily_loss.source must be a page's address"),
        (
            'source = "https://example.com/loss"\n',
            "",
            "accounts.50k.daily_loss: Object missing required field `source`",
        ),
        ("dated = 2026-02-13\n", "", "accounts.50k.daily_loss: say either dated"),
        ("[accounts.50k]", "[accounts.50K]\ntitle = 'x'\n[accounts.50k]", "accounts.50K: a name has small letters"),
        ('name = "Example"', "name = ", "is no TOML"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, before: str, after: str, sentence: str) -> None:
    told = fault(tmp_path, before, after)
    assert sentence in told
    assert told.startswith("example.toml")


def test_several_wrong_lines_are_all_named(tmp_path: Path) -> None:
    text = GOOD.replace("limit = 1000", "limit = -5").replace("stops_at = 100", "stops_at = -1")
    with pytest.raises(ProfileError) as refused:
        read_profile(written(tmp_path, text))
    assert len(str(refused.value).split("; ")) == 2


def test_a_file_that_is_not_there_is_no_profile(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="cannot be read"):
        read_profile(tmp_path / "nobody.toml")


# -- the profiles of this project ------------------------------------------------------------------------------------


def test_there_are_four_firms() -> None:
    assert [path.stem for path in FILES] == ["apex", "takeprofittrader", "topstep", "tradeify"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_profile_says_whence_it_knows_and_that_the_firm_s_word_counts(path: Path) -> None:
    assert "The firm's own word counts" in path.read_text("utf-8").splitlines()[0]
    profile = read_profile(path)
    for account in profile.accounts:
        groups = profile.groups_of(account)
        assert set(groups) == set(RULES)
        for group in filter(None, groups.values()):
            day = group.dated or group.read
            assert day is not None
            assert date(2020, 1, 1) <= day <= TODAY


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_profile_is_told_in_plain_words(path: Path) -> None:
    answer = flask("check", path)
    assert answer.exit_code == 0, answer.output
    assert "The firm's own word counts" in answer.output
    for account in read_profile(path).accounts:
        assert f"FIRM={path.stem}:{account}" in answer.output


def test_what_no_page_says_is_unknown() -> None:
    answer = flask("check", FIRMS / "topstep.toml")
    express = answer.output.split("FIRM=topstep:express-50k")[1]
    assert "daily loss: unknown: ask the firm" in express
    assert "trailing drawdown: unknown: ask the firm" in express


def test_a_faulty_file_ends_with_1_and_names_the_line(tmp_path: Path) -> None:
    answer = flask("check", written(tmp_path, GOOD.replace("limit = 1000", "limit = -1")))
    assert answer.exit_code == 1
    assert "accounts.50k.daily_loss.limit was -1" in answer.output


# -- the setting FIRM ------------------------------------------------------------------------------------------------


def test_firm_names_a_file_and_an_account() -> None:
    firm = config(FIRM="TopStep:50K").rules.firm
    assert firm == firm_named("topstep:50k")
    assert firm is not None
    assert firm.daily_loss == 1000
    assert config().rules.firm is None
    assert config(FIRM_BUFFER="10").rules.firm_buffer_pct == 10


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("nobody:50k", "FIRM: no firm is called 'nobody', there are: apex, takeprofittrader, topstep, tradeify"),
        ("../topstep:50k", "FIRM: no firm is called"),
        ("topstep", "FIRM: topstep has no account (none named), it has: 50k, 100k, 150k, express-50k"),
        ("topstep:1m", "FIRM: topstep has no account 1m"),
    ],
)
def test_a_firm_that_is_not_there_stops_the_start(setting: str, sentence: str) -> None:
    assert sentence in complaint(FIRM=setting)
