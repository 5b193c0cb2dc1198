"""Sends a request to MetaApi that is stored, and stores what became of it."""

from __future__ import annotations

from advisor.mt4.metaapi_answers import refused_by_broker
from advisor.mt4.metaapi_client import MetaApiClient, OutcomeUnknown, TradeRefused
from advisor.mt4.metaapi_models import MetaTrade, MetaTradeResponse
from advisor.mt4.metaapi_views import text_of
from advisor.mt4.result_codes import outcome_of
from advisor.mt4.sent import SentBook
from sidecar.problems import ServiceRefused


class Sender:
    """Sends for one account."""

    def __init__(self, client: MetaApiClient, sent: SentBook) -> None:
        """Send with `client`; `sent` has the requests."""
        self._client = client
        self._sent = sent

    async def send(self, client_id: str, request: MetaTrade) -> MetaTradeResponse:
        """Send a request, once. Raises `OutcomeUnknown`, and `ServiceRefused` when nothing was done."""
        try:
            answer = await self._client.trade(request)
        except TradeRefused as error:
            self._sent.end(client_id, "refused")
            raise refused_by_broker(error.code) from None
        except ServiceRefused:
            self._sent.forget(client_id)  # MetaApi did not take it
            raise
        outcome = outcome_of(answer.numeric_code, answer.string_code)
        if outcome == "unknown":
            raise OutcomeUnknown(answer.string_code[:60])
        self._sent.end(client_id, outcome, text_of(answer.order_id), text_of(answer.position_id))
        if outcome == "refused":
            raise refused_by_broker(answer.string_code[:60])
        return answer
