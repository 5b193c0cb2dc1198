"""What README and docs/how-to/tradingview.md list of TradingView's alerts, generated from ``wire/tradingview.py``."""

from __future__ import annotations

from services.ops.config import PROJECT
from services.ops.rule_tables import BEGIN, END
from wire.tradingview import (
    BAR_PATH,
    BRICK_ALERTS,
    BRICK_INDICATOR,
    BRICK_MESSAGE,
    HEARTBEAT_MESSAGE,
    HEARTBEAT_PATH,
    LEVEL_MESSAGE,
    LEVEL_PATH,
    STREAMS,
)

PAGES = (PROJECT / "README.md", PROJECT / "docs" / "how-to" / "tradingview.md")
EXAMPLE_ASSET = "ES"


def webhooks_table() -> str:
    """Return every webhook in the order in which a trader sets up the alerts."""
    conditions = " and ".join(f"*{condition}*" for condition in BRICK_ALERTS)
    lines = ["| what | webhook URL | used for | alerts |", "|---|---|---|---|"]
    lines.append(
        f"| **all bricks and the heartbeat** | `{BAR_PATH}` | everything below but the levels | 1, by the script |"
    )
    lines.append(f"| heartbeat | `{HEARTBEAT_PATH}` | last price, and that TradingView is heard | 1 |")
    for row in sorted(STREAMS, key=lambda row: row.set_up_place):
        paths = " or ".join(f"`{path}`" for path in row.paths)
        lines.append(f"| {row.size}pt bricks | {paths} | {row.use} | {len(BRICK_ALERTS)}: {conditions} |")
    lines.append(f"| price level | `{LEVEL_PATH}` | exits the asset | 1 for each drawn line |")
    return "\n".join(lines)


def messages_table() -> str:
    """Return the message of each alert, for the asset ES."""
    bricks = {condition: BRICK_MESSAGE.replace("COLOR", color) for condition, color in BRICK_ALERTS.items()}
    messages = {"heartbeat": HEARTBEAT_MESSAGE, **bricks, "price level": LEVEL_MESSAGE}
    lines = ["| alert | message |", "|---|---|"]
    lines += [f"| {alert} | `{message.replace('ASSET', EXAMPLE_ASSET)}` |" for alert, message in messages.items()]
    return "\n".join(lines)


def indicator_block() -> str:
    """Return the Pine script whose conditions the bricks' alerts use."""
    return f"```pine\n{BRICK_INDICATOR}```"


PARTS = {"webhooks": webhooks_table, "messages": messages_table, "indicator": indicator_block}


def with_current_webhooks(page: str) -> str:
    """Return the page with those of its generated parts replaced that are about webhooks."""
    for name, make in PARTS.items():
        begin = BEGIN.format(name)
        if begin in page:
            head, rest = page.split(begin, 1)
            tail = rest.split(END.format(name), 1)[1]
            page = f"{head}{begin}\n{make()}\n{END.format(name)}{tail}"
    return page


def renew_webhooks() -> None:
    """Regenerate the parts of both pages in place."""
    for path in PAGES:
        path.write_text(with_current_webhooks(path.read_text("utf-8")), "utf-8")
