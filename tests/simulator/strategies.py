"""Hypothesis strategies for every message record, derived from the layouts."""

from collections.abc import Mapping
from decimal import Decimal

from hypothesis import strategies as st

from src.simulator.messages.fields import Codec
from src.simulator.messages.layout import PARTS, Field, Fixed, Item, Layout, Repeat, When
from src.simulator.messages.orders import OrderCondition

TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)
NUMBER = st.decimals(
    min_value=-(10**9), max_value=10**9, places=4, allow_nan=False, allow_infinity=False
)
INT32 = st.integers(-(2**31), 2**31 - 2)

_BY_KIND: Mapping[str, st.SearchStrategy[object]] = {
    "text": TEXT,
    "id": INT32,
    "int": INT32,
    "long": st.integers(-(2**62), 2**62),
    "number": NUMBER,
    "flag": st.booleans(),
    "optional int": st.none() | INT32,
    "optional number": st.none() | NUMBER,
    "optional flag": st.none() | st.booleans(),
    "condition type": st.sampled_from((1, 3, 4, 5, 6, 7)),
}
# values that switch blocks of other fields on and off
_SWITCHES: Mapping[str, tuple[object, ...]] = {
    "contract.sec_type": ("STK", "BAG"),
    "contract.exchange": ("SMART", "IBKRATS"),
    "order.order_type": ("LMT", "MIDPRICE", "PEG BENCH", "PEG BEST", "PEGMID"),
    "order.delta_neutral_order_type": ("", "None", "LMT"),
    "order.hedge_type": ("", "P"),
    "order.algo_strategy": ("", "Adaptive"),
    "order.scale_price_increment": (None, Decimal("0.5")),
    "order.continuous_update": (0, 1),
    "order.compete_against_best_offset": (None, Decimal("0.02"), Decimal("Infinity")),
}


def messages(layout: Layout, version: int) -> st.SearchStrategy[object]:
    """Any record the layout can carry at this version; absent fields keep their defaults."""

    @st.composite
    def build(draw: st.DrawFn) -> object:
        values: dict[str, object] = {}
        _draw_items(draw, layout.items, version, values)
        own: dict[str, object] = {}
        parts: dict[str, dict[str, object]] = {}
        for name, value in values.items():
            part, dot, field = name.partition(".")
            if dot:
                parts.setdefault(part, {})[field] = value
            else:
                own[name] = value
        own |= {part: PARTS[part](**given) for part, given in parts.items()}
        return layout.record(**own)

    return build()


def _draw_items(
    draw: st.DrawFn, items: tuple[Item, ...], version: int, values: dict[str, object]
) -> None:
    for item in items:
        if isinstance(item, Field):
            if item.since <= version <= item.until and item.name not in values:
                values[item.name] = draw(_values(item.name, item.codec))
        elif isinstance(item, When):
            if item.since <= version and item.test(values[item.name]):
                _draw_items(draw, item.items, version, values)
        elif isinstance(item, Repeat):
            values[item.name] = tuple(
                _draw_record(draw, item, version) for _ in range(draw(st.integers(0, 2)))
            )
        else:
            assert isinstance(item, Fixed)


def _draw_record(draw: st.DrawFn, item: Repeat, version: int) -> object:
    values: dict[str, object] = {}
    _draw_items(draw, item.items, version, values)
    if item.record is OrderCondition and "value" in values:
        values["value"] = "5"  # a time, a price or a count, depending on the type
    return item.record(**values)


def _values(name: str, codec: Codec) -> st.SearchStrategy[object]:
    if name in _SWITCHES:
        return st.sampled_from(_SWITCHES[name])
    return _BY_KIND[codec.kind]
