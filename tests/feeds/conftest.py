"""What the tests of feeds share: one desk with feeds beside it for each module."""

from collections.abc import Iterator

import pytest

from tests.support.market_floor import MarketFloor


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MarketFloor]:
    """A desk and feeds with the market port."""
    with MarketFloor(tmp_path_factory.mktemp("market")) as floor:
        yield floor
