"""Words of the answers: prices are plain numbers, times RFC 3339 in UTC."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

Number = Decimal
Instant = datetime
TradingDay = date
