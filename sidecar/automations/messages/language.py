"""Which language a message is in, and the few words of our own in it."""

from __future__ import annotations

from collections.abc import Collection

DEFAULT = "en"
_RTL = frozenset({"fa", "ar", "he", "ur", "ckb", "ps", "sd", "ug", "yi", "dv"})

# What layout and macros say by themselves; `greeting` with and without a name.
WORDS: dict[str, dict[str, str]] = {
    "en": {
        "greeting": "Hello {name}", "greeting_nobody": "Hello", "from": "from", "total": "Total", "code": "Your code",
        "until": "Valid until {day}", "minimum": "For orders from {amount}", "free_shipping": "Free shipping",
        "reviews": "reviews", "why": "You get this e-mail because you are a customer of {shop}.",
        "unsubscribe": "Unsubscribe", "preferences": "Choose what you get",
    },
    "fa": {
        "greeting": "{name} عزیز، سلام", "greeting_nobody": "سلام", "from": "از", "total": "جمع کل", "code": "کد شما",
        "until": "معتبر تا {day}", "minimum": "برای سفارش‌های از {amount} به بالا", "free_shipping": "ارسال رایگان",
        "reviews": "نظر", "why": "این ایمیل را دریافت می‌کنید چون مشتری {shop} هستید.",
        "unsubscribe": "لغو اشتراک", "preferences": "انتخاب پیام‌ها",
    },
    "pl": {
        "greeting": "Dzień dobry, {name}", "greeting_nobody": "Dzień dobry", "from": "od", "total": "Razem",
        "code": "Twój kod", "until": "Ważny do {day}", "minimum": "Przy zamówieniu od {amount}",
        "free_shipping": "Darmowa dostawa", "reviews": "opinii",
        "why": "Otrzymujesz tę wiadomość jako klient sklepu {shop}.",
        "unsubscribe": "Wypisz się", "preferences": "Wybierz, co dostajesz",
    },
    "bg": {
        "greeting": "Здравейте, {name}", "greeting_nobody": "Здравейте", "from": "от", "total": "Общо",
        "code": "Вашият код", "until": "Валиден до {day}", "minimum": "При поръчка от {amount}",
        "free_shipping": "Безплатна доставка", "reviews": "отзива",
        "why": "Получавате това писмо, защото сте клиент на {shop}.",
        "unsubscribe": "Отписване", "preferences": "Изберете какво да получавате",
    },
}  # fmt: skip


def choose(written: Collection[str], *locales: str) -> str:
    """The first of `locales` (WordPress's, as fa_IR, or plain) that the text is written in, whole or by its language alone;
    else English; else the first language by name. '' when nothing is written."""
    known = {code.replace("-", "_").lower(): code for code in written}
    for locale in (*locales, DEFAULT):
        wanted = locale.strip().replace("-", "_").lower()
        for code in (wanted, wanted.partition("_")[0]):
            if code and code in known:
                return known[code]
    return min(written, default="")


def base(language: str) -> str:
    """The language without its country: pt_BR → pt."""
    return language.replace("-", "_").partition("_")[0].lower()


def rtl(language: str) -> bool:
    """Whether it is written from right to left."""
    return base(language) in _RTL


def tag(language: str) -> str:
    """For HTML's `lang`: pt_BR → pt-BR."""
    return language.replace("_", "-")


def words(language: str) -> dict[str, str]:
    """The words of a language; English ones where we have none."""
    return WORDS.get(base(language), WORDS[DEFAULT])
