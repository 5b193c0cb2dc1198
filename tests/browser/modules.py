"""The page's own modules, as its scripts import them."""

from typing import Any

from playwright.sync_api import Page


def call(page: Page, module: str, expression: str, argument: Any = None) -> Any:
    """Evaluate an expression over ``module`` (``js/desk/store.js``, the page's own instance) and ``argument``."""
    main = page.locator("script[type=module]").first.get_attribute("src") or ""
    address = "/".join(main.split("/")[:3]) + f"/{module}"
    return page.evaluate(
        f"async ([address, argument]) => {{ const module = await import(address); return {expression}; }}",
        [address, argument],
    )
