"""The advisor's answers for the page: ranges, signals, phases, models, explanations. Web only asks."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote, urlencode

from flask import Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from routes.http.describing import answers
from routes.http.errors import InvalidRequest
from routes.http.guards import GuardedCalls, guarded_by
from routes.http.parsing import LONGEST_SYMBOL, AskedNumber, Symbol, asks
from routes.http.replies import app_services
from routes.readers.asking import asked, fault
from services.ops.beside_call import Question
from wire.explain import About, Explained
from wire.ml_engine import ActiveSignals, AmdAnswer, MlTimeframe, ModelsAnswer, RangeBands, RrConfig
from wire.types import Side

advisor = GuardedCalls("advisor", __name__, "signals_door")

RANGE_PATH = "/api/range"
SIGNALS_PATH = "/api/signals/active"
AMD_PATH = "/api/amd"
MODELS_PATH = "/models"
EXPLAIN_PATH = "/api/v1/explain"
DAY_PATTERN = r"^20\d{2}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"
FEWEST_PERIODS, MOST_PERIODS = 50, 5_000
MOST_SYMBOLS = 400
USUAL_TIMEFRAME: MlTimeframe = "15m"
NEVER_LEARNED = "no recorded bars of {}: its price is simulated, and the simulated market is never learned from"

OwnAsset = Annotated[Symbol, AfterValidator(str.upper), Field(examples=["ES"])]


class Asked(BaseModel):
    """A query of the advisor. An unknown name is refused: ignored, a misspelt one would ask something else."""

    model_config = ConfigDict(extra="forbid")


class RangeAsked(Asked):
    asset: OwnAsset
    timeframe: MlTimeframe = USUAL_TIMEFRAME


class SignalsAsked(Asked):
    symbols: Annotated[str, Field(max_length=MOST_SYMBOLS)] = ""
    timeframe: MlTimeframe = USUAL_TIMEFRAME
    rr_config: RrConfig = "rr_2_1"


class AmdAsked(Asked):
    timeframe: MlTimeframe = USUAL_TIMEFRAME
    lookback_periods: Annotated[AskedNumber, Field(ge=FEWEST_PERIODS, le=MOST_PERIODS)] = 100


class ExplainAsked(Asked):
    about: About
    asset: OwnAsset | None = None
    direction: Side | None = None
    day: Annotated[str, Field(pattern=DAY_PATTERN, examples=["2026-11-20"])] | None = None


@advisor.get("/api/ml/range")
@answers(RangeBands, errors=(404, 429, 503))
@asks(RangeAsked)
def show_range(query: RangeAsked) -> Response:
    """Return the usual range of an asset's next bar, from its last close.

    While the asset's price is simulated it is 503 `no_bars`: what real bars did says nothing of it.
    """
    asset = app_services().manager.snapshot.desk.assets.get(query.asset)
    if asset is None:
        raise InvalidRequest("asset", f"the desk does not trade {query.asset!r:.60}", code="unknown_asset")
    if asset.live.is_simulated:
        return fault(NEVER_LEARNED.format(query.asset), 503, "no_bars", app_services().manager.now)
    path = f"{RANGE_PATH}/{quote(query.asset, safe='')}?{urlencode({'timeframe': query.timeframe})}"
    wanted = (query.asset, query.timeframe)
    return asked("ml", Question(path), RangeBands, lambda bands: (bands.asset, bands.timeframe) == wanted)


@advisor.get("/api/ml/signals/active")
@answers(ActiveSignals, errors=(404, 429, 503))
@asks(SignalsAsked)
def show_signals(query: SignalsAsked) -> Response:
    """Return the signals that a proven model stands behind. None is the usual answer, and `errors` says why.

    `symbols` are comma-separated; without them it is about all that the advisor knows.
    """
    return asked("ml", Question(f"{SIGNALS_PATH}?{urlencode(query.model_dump())}"), ActiveSignals)


@advisor.post("/api/ml/amd/<symbol>")
@answers(AmdAnswer, errors=(404, 429, 503))
@asks(AmdAsked)
def show_phase(query: AmdAsked, symbol: str) -> Response:
    """Return the phase of a market: accumulation, manipulation, distribution or unknown."""
    if len(symbol) > LONGEST_SYMBOL:
        raise InvalidRequest("symbol", f"must be at most {LONGEST_SYMBOL} characters")
    path = f"{AMD_PATH}/{quote(symbol, safe='')}?{urlencode(query.model_dump())}"
    is_it = query.timeframe
    return asked("ml", Question(path, method="POST"), AmdAnswer, lambda phase: phase.timeframe == is_it)


@advisor.get("/api/ml/models")
@answers(ModelsAnswer, errors=(429, 503))
def show_models() -> Response:
    """Return every model's card, newest first."""
    return asked("ml", Question(MODELS_PATH), ModelsAnswer)


@advisor.get("/api/explain")
@guarded_by("chat_door")
@answers(Explained, errors=(404, 429, 503))
@asks(ExplainAsked)
def explain(query: ExplainAsked) -> Response:
    """Return an explanation made of the desk's own facts: of what blocks an entry, of a day, or of the habits.

    `asset` and `direction` are of a block, `day` is of a day; left out, they are the present ones.
    """
    path = f"{EXPLAIN_PATH}?{urlencode(query.model_dump(exclude_none=True))}"
    return asked("agent", Question(path), Explained, lambda explained: explained.about == query.about)
