"""The words of the second reading: gates, what ends each, what becomes of an exit. None is the advisor's."""

from __future__ import annotations

NAMES_IN_SENTENCES = {
    "daily_stop": "daily stop",
    "trade_limit": "trade limit",
    "cooldown": "cooldown",
    "candle_lock": "candle lock",
    "pending_order": "open order",
    "position": "position",
    "heartbeat": "heartbeat",
    "tempo": "tempo token",
    "zone": "zone",
    "two_half_filter": "2.5pt filter",
    "reconcile": "reconciliation",
    "account": "account",
    "bridge": "bridge",
    "feed": "feed",
}

ENDS = {  # what ends a gate that no clock opens, by its reason: read from the ladder of SPEC 4, 5.6, 8.4 and 8.5
    ("daily_stop", "daily_stop_awaited"): "a second reading decides",
    ("daily_stop", "daily_stop"): "the next trading day",
    ("trade_limit", "trade_limit"): "the next trading day, or until an entry on its way ends unfilled",
    ("cooldown", "cooldown"): "its countdown ends",
    ("candle_lock", "candle_lock"): "the next candle",
    ("pending_order", "order_open"): "the order's last report",
    ("position", "position_open"): "the position is flat",
    ("heartbeat", "tradingview_silent"): "the next heartbeat",
    ("tempo", "no_tempo_token"): "the next 6pt brick",
    ("tempo", "tempo_token_spent"): "the next 6pt brick",
    ("zone", "no_zone"): "the next 8pt or 12pt brick",
    ("zone", "against_structure"): "the next 8pt or 12pt brick",
    ("two_half_filter", "two_half_filter"): "the 2.5pt brick flips",
    ("reconcile", "position_mismatch"): "broker and desk agree",
    ("reconcile", "position_doubtful"): "broker and desk agree",
    ("reconcile", "fate_unknown"): "the order's fate is known",
    ("reconcile", "foreign_position"): "that position is gone, or you accept it",
    ("account", "balance_suspect"): "a balance is explained again, or you confirm the transfer",
    ("account", "balance_unknown"): "a balance of this account comes",
    ("account", "other_account"): "a balance of this account comes",
    ("account", "of_a_later_desk"): "a fresh balance, or your confirmation",
    ("bridge", "bridge_silent"): "the bridge is back",
    ("bridge", "bridge_offline"): "the bridge is connected to the broker",
    ("bridge", "bridge_without_live"): "a bridge that executes LIVE is heard",
    ("bridge", "kill_switch"): "the bridge's switch is off",
    ("bridge", "stop_missing"): "the bridge names a stop for it",
    ("feed", "contract_expired"): "the desk trades the next contract",
    ("feed", "contract_ends"): "the desk trades the next contract",
    ("feed", "feed_gapped"): "the stream is whole again",
    ("feed", "feed_silent"): "the stream is whole again",
    ("feed", "feed_unsettled"): "the stream is whole again",
}
EXITS = {  # what becomes of an exit while its bridge is away
    "bridge_silent": "an exit does not reach the broker before the bridge is back",
    "bridge_offline": "an exit does not reach the broker before the bridge is connected to it",
    "bridge_without_live": "whether an exit reaches the broker is not known until a bridge that executes LIVE is heard",
}
