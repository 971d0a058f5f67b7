"""The pages in other languages: the catalogue has every text, the compiled one is the same, and all is said by it."""

from __future__ import annotations

import ast
import io
import re
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import pytest
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po
from signer import Signer
from support import ROOT

from sidecar.state.jobs import OPEN
from sidecar.web.dashboard import words

FOLDER = ROOT / "sidecar" / "web" / "dashboard" / "translations"
LANGUAGES = sorted(folder.name for folder in FOLDER.iterdir() if folder.is_dir())


def _script() -> Any:
    loader = SourceFileLoader("translations", str(ROOT / "scripts" / "translations"))
    spec = spec_from_loader("translations", loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_has_its_translation(language: str) -> None:
    catalog = read_po(io.BytesIO((FOLDER / language / "LC_MESSAGES" / "messages.po").read_bytes()), locale=language)
    wanted = {message.id for message in _script().texts() if message.id}
    have = {message.id: message for message in catalog if message.id}
    assert wanted == set(have), "run scripts/translations"
    for id_, message in have.items():
        for text in message.string if isinstance(message.string, tuple) else (message.string,):
            assert text, f"no translation of {id_!r}"
            english = id_[0] if isinstance(id_, tuple) else id_
            assert set(re.findall(r"%\(\w+\)s", text)) == set(re.findall(r"%\(\w+\)s", english)), id_
            assert "<" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_the_same(language: str) -> None:
    folder = FOLDER / language / "LC_MESSAGES"
    catalog = read_po(io.BytesIO((folder / "messages.po").read_bytes()), locale=language)
    made = io.BytesIO()
    write_mo(made, catalog)
    compiled = read_mo(io.BytesIO((folder / "messages.mo").read_bytes()))
    again = read_mo(io.BytesIO(made.getvalue()))
    assert _texts(compiled) == _texts(again), "run scripts/translations"


def _texts(catalog: Any) -> list[tuple[str, str]]:
    return sorted((str(message.id), str(message.string)) for message in catalog if message.id)


def test_persian_pages(synced: Signer) -> None:
    html = synced.page("status", who="1;administrator;fa_IR;rtl")
    assert 'dir="rtl" lang="fa-IR"' in html and "وضعیت" in html and "همراه فروشگاه" in html
    assert "Behind the shop" not in html


@pytest.mark.parametrize("locale", ["en_US", "de_DE_formal", "xx_XX", "sr_RS@latin", "pl", "zh_CN", "en-GB", "ckb"])
def test_any_language_is_answered(bridge: Signer, locale: str) -> None:
    html = bridge.page("sync", who=f"1;administrator;{locale};ltr")
    assert "Start a sync" in html


def test_numbers_have_the_digits_of_the_language(bridge: Signer) -> None:
    """Labels say ۱٬۰۰۰, so figures beside them must not say 0; versions and ids stay as they are."""
    page = bridge.page("status", who="9;administrator;fa_IR;rtl")
    assert re.search(r"<dd>[۰-۹]+</dd>", page)
    assert not re.search(r"<dd>[0-9]+</dd>", page)
    assert re.search(r"<bdi>[0-9]+\.[0-9.]+</bdi>", page)
    assert re.search(r"<dd>[0-9]+</dd>", bridge.page("status"))


def test_every_code_has_a_word() -> None:
    from typing import get_args

    from sidecar.crm.model import STATUSES
    from sidecar.events import monitor, topics
    from sidecar.people.model import CustomerStatus
    from sidecar.sync.link import LinkState

    assert set(OPEN) <= set(words.known("state"))
    assert set(STATUSES) <= set(words.known("contact"))
    assert set(get_args(CustomerStatus)) <= set(words.known("status"))
    assert set(get_args(monitor.Outcome)) <= set(words.known("outcome"))
    assert set(topics.FAMILIES) <= set(words.known("family")) and set(topics.FAMILIES) <= set(words.known("thing"))
    modes = LinkState.__annotations__["mode"]
    assert set(re.findall(r'"(\w+)"', str(modes))) <= set(words.known("bridge"))


def test_every_explanation_is_known() -> None:
    """What the lower layers say of a field, a tag and an order, read from their source."""
    from sidecar.people.ledger import REASONS
    from sidecar.sync import reasons
    from sidecar.web.dashboard.sentences import SENTENCES

    tree = ast.parse(Path(reasons.__file__).read_text("utf-8"))
    said = {
        node.value
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and function.name in ("_why", "_last")
        for statement in ast.walk(function)
        if isinstance(statement, ast.Return) and statement.value is not None
        for node in ast.walk(statement.value)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value
    }
    said -= {"the shop has no value; what FluentCRM has stays", ": it is not ours"}
    assert len(said) > 10
    assert said | set(REASONS.values()) <= set(SENTENCES)


def test_sentences_with_something_in_them(bridge: Signer) -> None:
    from flask_babel import force_locale

    from sidecar.automations.reasons import REASONS
    from sidecar.web.dashboard.sentences import HOLED, SENTENCES, told

    said = {
        "Mailchimp sends the same": "Mailchimp همین را می‌فرستد",
        "It is for 20 % of people, and they are not among them.": "برای 20% افراد است و ایشان میان آن‌ها نیستند.",
        "What starts it happened last at 2026-11-01 10:00, before it was switched on.": "آنچه آن را آغاز می‌کند آخرین بار در"
        " 2026-11-01 10:00 رخ داد، پیش از آن‌که روشن شود.",
        "They were in it and got nothing: left out: it is out of stock (12)": None,
        "They were never in it. It is off.": "هرگز در آن نبوده‌اند. خاموش است.",
        "given up (the other side took it not)": None,
        "%(name)s %s {0} (": "%(name)s %s {0} (",
        "FluentCRM's own automation “%d\n(x” begins with the same": None,
    }
    with bridge.client.application.test_request_context("/"), force_locale("fa"):
        for text, wanted in said.items():
            assert told(text) == wanted if wanted else not re.search("[a-z]{5}", told(text).replace("FluentCRM", "")), (
                told(text)
            )
        for sentence in (*SENTENCES, *REASONS.values()):
            assert told(sentence) != sentence, sentence
        for sentence in HOLED:
            filled = re.sub(r"%\((\w+)\)s", "№1", sentence).replace("%%", "%")
            assert told(filled) != filled and told(filled).count("№1") == filled.count("№1"), sentence
    with bridge.client.application.test_request_context("/"), force_locale("en"):
        for text in said:
            assert told(text) == text


def test_what_automations_say_is_known() -> None:
    """Every finding before one goes on, and every answer to why, read from the source: those that are missing stay English."""
    from sidecar.automations import preflight, why
    from sidecar.web.dashboard.sentences import HOLED, SENTENCES

    known = "\n".join((*SENTENCES, *HOLED)).replace("%%", "%")
    for module in (preflight, why):
        tree = ast.parse(Path(module.__file__).read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg in ("sentence", "hint"):
                for part in ast.walk(node.value):
                    text = part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else ""
                    if len(text.split()) > 3:
                        assert text.strip() in known, text
