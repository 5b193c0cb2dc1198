"""How everything on the wire is written: JSON with plain numbers for decimals and RFC 3339 for times."""

from __future__ import annotations

import msgspec

encode = msgspec.json.Encoder(decimal_format="number").encode
