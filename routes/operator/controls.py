"""The operator's controls of an open trade (SPEC 4 scale-in, 5.3, 6, 7.3)."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Response
from msgspec import structs
from pydantic import AfterValidator, Field, model_validator

from routes.http.describing import answers
from routes.http.errors import error_answer, led_answer
from routes.http.guards import caller_is_service, guarded_by
from routes.http.parsing import AssetBody, ClickBody, Money, OperatorBody, WholeNumber, accepts
from routes.http.replies import answer, answer_with_asset, app_services, asset_part, reply
from routes.operator import operator_calls
from services.engine.model.commands import (
    ExitAll,
    ExitPosition,
    ScaleIn,
    SetPointsTarget,
    SetProtect,
    SetSignalTarget,
    ToggledExit,
    ToggleExit,
)
from services.engine.model.replies import ExitsTaken, OrderTaken
from services.views.asset_view import asset_view
from services.views.rows import order_view
from wire.answers import (
    AssetAnswer,
    AutoExitAnswer,
    ExitAllAnswer,
    ExitAllRow,
    ExitAnswer,
    ScaleInAnswer,
    Skip,
    VersionAnswer,
)

controls = operator_calls("controls", __name__)


def _named(trade: str | None) -> str:
    if trade is None:  # null is a trade that the caller does not know: that is not "any trade"
        raise ValueError("must be the id of a trade; leave it out for whatever is held")
    return trade


TradeId = Annotated[Annotated[str, Field(min_length=1, max_length=64)] | None, AfterValidator(_named)]


class ExitBody(AssetBody):
    force: bool = False
    trade: TradeId = Field(default=None, description="the trade that is meant: another one is not exited (409)")


class ExitAllBody(OperatorBody):
    force: bool = False


class ProtectBody(AssetBody):
    enabled: bool
    threshold: Money | None = Field(default=None, examples=[-2.0], description="-2.0 or 0.5 points")


class PointsTargetBody(AssetBody):
    enabled: bool
    target: Money | None = Field(default=None, examples=[15.0], description="points, above 0 to 200")


class SignalTargetBody(AssetBody):
    tp_arm: Literal["toggle"] | None = Field(default=None, examples=["toggle"])
    tp_target: WholeNumber | None = Field(default=None, description="opposite 6pt bricks, 1 to 50")
    reset: bool = False

    @model_validator(mode="after")
    def asks_something(self) -> SignalTargetBody:
        if self.tp_arm is None and self.tp_target is None and not self.reset:
            raise ValueError("one of tp_arm, tp_target, reset is needed")
        return self


@controls.post("/api/exit")
@guarded_by("exit_door")
@answers(ExitAnswer, errors=(409,))
@accepts(ExitBody)
def exit_position(body: ExitBody) -> Response:
    """Exit one asset; ``force`` overrides the initial exit lock and is journaled.

    A program beside the desk may do the same with `{"asset", "force": true}` and the `trade` it means; it closes what
    is held and no entry, and is journaled as its.
    """
    by: Literal["operator", "service"] = "service" if caller_is_service() else "operator"
    outcome = app_services().manager.submit(ExitPosition(body.asset, body.force, by, body.trade))
    taken = outcome.answer
    if not isinstance(taken, OrderTaken):
        return answer_with_asset(outcome, body.asset)
    exited = ExitAnswer(
        version=outcome.version,
        asset=asset_part(outcome, body.asset),
        order=order_view(taken.order) if taken.order else None,
        latched=taken.latched,
        already_pending=taken.already_pending,
    )
    return reply(exited)


@controls.post("/api/exit-all")
@answers(ExitAllAnswer)
@accepts(ExitAllBody)
def exit_all(body: ExitAllBody) -> Response:
    """Flatten every asset; without ``force`` locked assets are skipped and listed in the answer."""
    outcome = app_services().manager.submit(ExitAll(body.force))
    taken = outcome.answer
    if not isinstance(taken, ExitsTaken):
        return answer(outcome, VersionAnswer(version=outcome.version))
    left = ExitAllAnswer(
        version=outcome.version,
        orders=tuple(ExitAllRow(order_id=order.id, **structs.asdict(order_view(order))) for order in taken.orders),
        cancelled=tuple(order_view(order) for order in taken.cancelled),
        latched=taken.latched,
        skipped=tuple(Skip(asset=skip.asset, reason=skip.reason, code=skip.code) for skip in taken.skipped),
        assets={symbol: asset_part(outcome, symbol) for symbol in _changed_by(taken)},
    )
    return reply(left)


def _changed_by(taken: ExitsTaken) -> list[str]:
    return sorted({*(order.asset for order in (*taken.orders, *taken.cancelled)), *taken.latched})


@controls.post("/api/scale-in")
@answers(ScaleInAnswer, 201, errors=(409,))
@accepts(ClickBody)
def scale_in(body: ClickBody) -> Response:
    """Add to the open trade, once per trade, after a brick unlocked the scale-in."""
    outcome = app_services().manager.submit(ScaleIn(body.asset), clicked_at=body.clicked_at)
    taken = outcome.answer
    if not isinstance(taken, OrderTaken) or taken.order is None:
        return answer_with_asset(outcome, body.asset)
    asset = asset_part(outcome, body.asset)
    order = order_view(taken.order)
    return reply(ScaleInAnswer(version=outcome.version, asset=asset, order=order), 201)


@controls.post("/api/protect")
@answers(AssetAnswer, errors=(409, 423))
@accepts(ProtectBody)
def set_protect(body: ProtectBody) -> Response:
    """Switch the soft stop on open points on or off."""
    return answer_with_asset(
        app_services().manager.submit(SetProtect(body.asset, body.enabled, body.threshold)), body.asset
    )


@controls.post("/api/points-take-profit")
@answers(AssetAnswer, errors=(409, 423))
@accepts(PointsTargetBody)
def set_points_target(body: PointsTargetBody) -> Response:
    """Switch the take-profit at open points on or off."""
    return answer_with_asset(
        app_services().manager.submit(SetPointsTarget(body.asset, body.enabled, body.target)), body.asset
    )


@controls.post("/api/take-profit")
@answers(AssetAnswer, errors=(409, 423))
@accepts(SignalTargetBody)
def set_signal_target(body: SignalTargetBody) -> Response:
    """Arm, disarm or change the take-profit that counts 6pt bricks against the trade."""
    command = SetSignalTarget(body.asset, body.tp_arm == "toggle", body.tp_target, body.reset)
    return answer_with_asset(app_services().manager.submit(command), body.asset)


@controls.post("/api/high-next-bar-exit")
@answers(AssetAnswer, errors=(409, 423))
@accepts(AssetBody)
def toggle_high_next_bar_exit(body: AssetBody) -> Response:
    """Switch the exit at the next 8pt brick on or off."""
    return _toggle(body.asset, "high_next_bar_exit_enabled")


@controls.post("/api/main-flip-exit")
@answers(AssetAnswer, errors=(409,))
@accepts(AssetBody)
def toggle_main_flip_exit(body: AssetBody) -> Response:
    """Switch the exit at a 6pt brick against the trade on or off."""
    return _toggle(body.asset, "main_flip_exit_enabled")


@controls.post("/api/four-pt-invalidation")
@answers(AssetAnswer, errors=(409,))
@accepts(AssetBody)
def toggle_four_pt_invalidation(body: AssetBody) -> Response:
    """Switch the exit at a 4pt brick against the trade on or off."""
    return _toggle(body.asset, "four_pt_invalidation_enabled")


def _toggle(asset: str, setting: ToggledExit) -> Response:
    return answer_with_asset(app_services().manager.submit(ToggleExit(asset, setting)), asset)


@controls.post("/api/auto-exit")
@answers(AutoExitAnswer)
@accepts(AssetBody)
def confirm_auto_exit(body: AssetBody) -> Response:
    """Confirm the auto-exit timeframe; the contract fixes it at 6pt, so this changes nothing."""
    snapshot = app_services().manager.snapshot
    if body.asset not in snapshot.desk.assets:
        return error_answer(f"asset {body.asset} is not traded on this desk", 400, "unknown_asset")
    part = asset_view(snapshot.desk, snapshot.desk.assets[body.asset], app_services().manager.now)
    return reply(AutoExitAnswer(version=snapshot.version, asset=part, auto_exit_renko="6pt"))


@controls.post("/api/two-half-tp-lock")
@answers(None, 423)
def refuse_manual_lock() -> Response:
    """Refuse every call: the 2.5pt management lock is automatic only (SPEC 6.2)."""
    return led_answer("the 2.5pt management lock is automatic only", 423, "lock_is_automatic")
