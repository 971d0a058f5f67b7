"""A made-up context with something in every place, for previews when nobody is named and for checks of texts."""

from __future__ import annotations

from datetime import UTC, tzinfo

from sidecar.automations.messages import language as languages
from sidecar.automations.messages.model import (
    Cart,
    Context,
    Coupon,
    Line,
    Moment,
    Money,
    Order,
    Percent,
    Person,
    Product,
    Reorder,
    Shop,
    Tracking,
)

_NAMES = {"en": ("Anna", "Smith"), "fa": ("سارا", "احمدی"), "pl": ("Anna", "Nowak"), "bg": ("Мария", "Иванова")}
_THINGS = {
    "en": ("Hand coffee grinder", "Paper filters", "Steel"),
    "fa": ("آسیاب دستی قهوه", "فیلتر کاغذی", "استیل"),
    "pl": ("Młynek ręczny do kawy", "Filtry papierowe", "Stal"),
    "bg": ("Ръчна кафемелачка", "Хартиени филтри", "Стомана"),
}
_FIRST, _SECOND = 101, 102
_CODE = "gift-k7m2p9"
_DAY = 86_400


def context(shop: Shop, language: str, now: int, zone: tzinfo = UTC) -> Context:
    """The example in a language, in the real shop's currency and under its address. `now`: Unix seconds UTC."""
    spoken = languages.base(language)
    first, last = _NAMES.get(spoken, _NAMES["en"])
    grinder, filters, steel = _THINGS.get(spoken, _THINGS["en"])
    home = shop.url or "https://shop.example.com"

    def money(amount: int) -> Money:
        return Money(amount * 1_000_000, shop.currency, shop.decimals)

    one = Product(
        id=_FIRST, name=grinder, options=steel, price=money(249), regular_price=money(299), on_sale=True,
        image=f"{home}/wp-content/plugins/woocommerce/assets/images/placeholder.png", url=f"{home}/?post_type=product&p={_FIRST}", rating="4.7",
        reviews=38, stock=3,
    )  # fmt: skip
    two = Product(
        id=_SECOND, name=filters, price=money(29), regular_price=money(29),
        image=f"{home}/wp-content/plugins/woocommerce/assets/images/placeholder.png", url=f"{home}/?post_type=product&p={_SECOND}", rating="4.9",
        reviews=112, stock=40,
    )  # fmt: skip
    lines = tuple(
        Line(
            product_id=product.id, name=product.name, options=product.options, quantity=quantity, price=product.price,
            total=money(price * quantity), image=product.image, url=product.url,
        )
        for product, quantity, price in ((one, 1, 249), (two, 2, 29))
    )  # fmt: skip
    parcel = Tracking(code="0099887766", url="https://tracking.example.com/0099887766", carrier="DHL")
    return Context(
        person=Person(
            first_name=first, last_name=last, name=f"{first} {last}", email="customer@example.com", phone="+15550100",
            city="", country="", fields={},
        ),
        shop=shop,
        order=Order(
            id=1001, number="1001", status="processing", items=lines, total=money(307), date=Moment(now - 2 * _DAY),
            payment="", tracking=parcel, parcels=(parcel,), link=f"{home}/?order-received=1001",
            pay_link=f"{home}/?order-pay=1001",
        ),
        cart=Cart(id=1, items=lines, total=money(307), link=f"{home}/?fcsc=example"),
        coupon=Coupon(code=_CODE, amount=Percent("10"), expires=Moment(now + 3 * _DAY), minimum=money(50)),
        reorder=Reorder(product=two, days=45),
        products=(one, two),
        cross_sells=(two, one),
        locale=language,
        shop_locale=language,
        zone=zone,
    )  # fmt: skip
