"""Documents of an older program are read by today's; those of a newer one are refused (SPEC 9).

``documents_schema_1.json`` is what the program wrote before rules had a tomorrow: ES is long with a manual exit
at the bridge, NQ is flat.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from services.engine.decide import decide
from services.engine.model.bridge_commands import ReportExecution
from services.engine.model.commands import ConfigureDesk, EnterMarket, ScaleIn, TickClock
from services.engine.model.replies import Refusal
from services.engine.model.state import Desk
from services.engine.rules.limits import pending_limits
from services.stores.codec import documents
from services.stores.store import Head, Stored, StoreUnreadable
from tests.support.builders import TUESDAY, new_york
from tests.support.narrow import known, of_type
from tests.support.paths import FIXTURES
from tests.support.trader import Trader
from wire.types import OrderStatus

SCHEMA_1 = FIXTURES / "documents_schema_1.json"
AN_HOUR_LATER = new_york(TUESDAY, "10:31:10")
encode = msgspec.json.encode


def plain_of_schema_1() -> Any:
    return msgspec.json.decode(SCHEMA_1.read_bytes())


def stored(plain: Any) -> Stored:
    bodies = {name: encode(document) for name, document in plain["documents"].items()}
    return Stored(Head(13, 1, 1, "", "1"), bodies, [encode(o) for o in plain["open_orders"]])


def desk_of_schema_1() -> Desk:
    return documents.read_desk(stored(plain_of_schema_1()))


def test_the_fixture_is_of_schema_1() -> None:
    plain = plain_of_schema_1()
    assert {document["schema"] for document in plain["documents"].values()} == {1}
    desk, es = plain["documents"]["_global"]["desk"], plain["documents"]["ES"]["asset"]
    assert not {"wanted", "configured", "bridge_is_silent"} & set(desk)
    assert not {"intent", "preorder", "is_silent"} & set(es)
    assert "warned_pct" not in desk["day"]
    assert "fresh_high_bricks" not in es["trade"]


def test_everything_that_was_known_is_known() -> None:
    desk = desk_of_schema_1()
    es, nq = desk.assets["ES"], desk.assets["NQ"]
    (order,) = desk.orders.values()
    assert (desk.sequence, desk.issued, desk.env, desk.day.trades_taken, desk.day.start_equity) == (
        13,
        2,
        "DEMO",
        1,
        Decimal(50_000),
    )
    trade = known(es.trade)
    assert (es.position, trade.entry_price, trade.fresh_main_bricks) == (5, Decimal("5250.25"), 1)
    assert (es.live.last_price, es.live.open_points) == (Decimal(5252), Decimal("1.75"))
    assert (es.stack.four.color, nq.stack.high.color, nq.position) == ("green", "green", 0)
    assert (order.kind, order.source, order.status, order.owner) == ("EXIT", "manual", OrderStatus.CLAIMED, "bridge")
    assert desk.locks.candle_used == new_york(TUESDAY, "09:30:00")


def test_what_was_not_known_is_as_if_never_used() -> None:
    desk = desk_of_schema_1()
    assert desk.wanted == desk.configured == desk.rules
    assert pending_limits(desk) == {}
    assert (desk.day.warned_pct, desk.bridge_is_silent) == (0, False)
    for asset in desk.assets.values():
        assert (asset.intent, asset.preorder, asset.is_silent) == (None, None, False)
    assert known(desk.assets["ES"].trade).fresh_high_bricks == 0


def test_the_day_goes_on_where_it_was() -> None:
    desk = desk_of_schema_1()
    (order,) = desk.orders.values()
    report = ReportExecution(order.id, OrderStatus.FILLED, Decimal(5252), 5, "exec-9")
    after = decide(desk, report, new_york(TUESDAY, "09:31:12"))
    assert [type(event).__name__ for event in after.events if "Trade" in type(event).__name__] == ["TradeClosed"]
    refused = decide(after.desk, EnterMarket("ES", "SCALP", "6pt", "BUY"), new_york(TUESDAY, "09:31:13")).answer
    assert of_type(Refusal, refused).gate == "cooldown"
    too_early = decide(desk, ScaleIn("ES"), new_york(TUESDAY, "09:31:12")).answer
    assert of_type(Refusal, too_early).gate == "pending_order"


def test_its_rules_tighten_and_wait_like_any_other() -> None:
    desk = desk_of_schema_1()
    unchanged = decide(desk, ConfigureDesk(desk.rules), AN_HOUR_LATER)
    assert unchanged.desk.rules == desk.rules
    looser = replace(desk.rules, max_trades_per_day=9, cooldown_seconds=240)
    after = decide(desk, ConfigureDesk(looser), AN_HOUR_LATER).desk
    assert (after.rules.max_trades_per_day, after.rules.cooldown_seconds) == (6, 240)
    assert pending_limits(after) == {"max_trades_per_day": 9}
    tomorrow = decide(after, TickClock(), new_york(TUESDAY, "18:00:00")).desk
    assert tomorrow.rules.max_trades_per_day == 9


@pytest.mark.parametrize("schema", [1, 2])
def test_an_open_trade_keeps_what_the_operator_had_set(schema: int) -> None:
    """Until schema 3 the protections stood among the trade's own fields."""
    document = plain_of_schema_1()["documents"]["ES"] | {"schema": schema}
    document["asset"]["trade"] |= {"tp_armed": True, "tp_count": 2, "protect_threshold_points": "0.5"}
    document["asset"]["trade"] |= {"stop_points": "8", "scale_in_used": True}
    body = documents.upgraded(encode(document))
    trade = known(msgspec.json.decode(body, type=documents.AssetDocument).asset.trade)
    assert (trade.quantity, trade.scale_in_used, trade.stop_price) == (5, True, trade.entry_price - 8)
    protections = trade.protections
    assert (protections.tp_armed, protections.tp_count, protections.stop_points) == (True, 2, Decimal(8))
    assert (protections.points_tp_enabled, protections.protect_threshold_points) == (True, Decimal("0.5"))
    assert not set(documents.PROTECTIONS_UNTIL_3) & set(msgspec.json.decode(body)["asset"]["trade"])


def test_an_upgraded_document_is_of_todays_schema_and_is_not_upgraded_again() -> None:
    for body in stored(plain_of_schema_1()).documents.values():
        once = documents.upgraded(body)
        assert msgspec.json.decode(once)["schema"] == documents.SCHEMA
        assert documents.upgraded(once) == once


def test_written_again_it_reads_the_same() -> None:
    desk = desk_of_schema_1()
    orders = [documents.write_order(order) for order in desk.orders.values()]
    again = Stored(Head(desk.sequence, 2, 1, "", "1"), documents.desk_documents(desk), orders)
    assert documents.read_desk(again) == desk


def test_old_and_new_documents_stand_beside_each_other() -> None:
    """A commit writes only the documents that changed: the others keep their schema until they do."""
    plain = plain_of_schema_1()
    desk = documents.read_desk(stored(plain))
    bodies = {**stored(plain).documents, **documents.desk_documents(desk, committed=desk)}
    schemas = {name: msgspec.json.decode(body)["schema"] for name, body in bodies.items()}
    assert schemas == {"_global": documents.SCHEMA, "ES": 1, "NQ": 1}
    assert documents.read_desk(Stored(Head(desk.sequence, 2, 1, "", "1"), bodies, stored(plain).open_orders)) == desk


def test_every_schema_has_a_step_to_the_next() -> None:
    assert len(documents.UPGRADES) == documents.SCHEMA - 1


def test_todays_documents_are_of_todays_schema() -> None:
    for body in documents.desk_documents(Trader().is_long().preorders("BUY").desk).values():
        assert msgspec.json.decode(body)["schema"] == documents.SCHEMA


@pytest.mark.parametrize("name", ["_global", "ES", "NQ"])
def test_a_newer_schema_is_refused(name: str) -> None:
    plain = plain_of_schema_1()
    plain["documents"][name]["schema"] = documents.SCHEMA + 1
    with pytest.raises(StoreUnreadable, match=f"schema {documents.SCHEMA + 1}"):
        documents.read_desk(stored(plain))


@pytest.mark.parametrize("schema", [0, -1])
def test_a_schema_that_never_was_is_refused(schema: int) -> None:
    plain = plain_of_schema_1()
    plain["documents"]["ES"]["schema"] = schema
    with pytest.raises(StoreUnreadable):
        documents.read_desk(stored(plain))


@pytest.mark.parametrize(
    "breaks",
    [
        lambda documents: documents.pop("_global"),
        lambda documents: documents["_global"]["desk"].pop("rules"),
        lambda documents: documents["_global"].pop("schema"),
        lambda documents: documents["ES"]["asset"].pop("contract"),
        lambda documents: documents["ES"]["asset"]["trade"].update(quantity="five"),
    ],
)
def test_a_broken_document_is_refused(breaks: Callable[..., Any]) -> None:
    plain = plain_of_schema_1()
    breaks(plain["documents"])
    with pytest.raises(StoreUnreadable):
        documents.read_desk(stored(plain))
