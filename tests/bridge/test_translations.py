"""The plugin in other languages: the template has every text, each language has the template's, and WordPress says them."""

from __future__ import annotations

import gettext
import io
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po
from shopper import Shopper
from support import ROOT
from wordpress_site import Site

PLUGIN = ROOT / "wp-bridge"
FOLDER = PLUGIN / "languages"
DOMAIN = "fluentcrm-sidecar"
MAIN = (PLUGIN / f"{DOMAIN}.php").read_text("utf-8")
LOCALES = ["bg_BG", "fa_IR", "pl_PL"]
# What WordPress translates of a plugin's header, as `wp i18n make-pot` takes it.
HEADERS = ("Plugin Name", "Plugin URI", "Description", "Author", "Author URI")


def _catalog(path: Path) -> Catalog:
    return read_po(io.BytesIO(path.read_bytes()))


def _texts(catalog: Catalog) -> dict[str, str]:
    return {str(message.id): str(message.string) for message in catalog if message.id}


def _said(php: str) -> Iterator[str]:
    """The texts that a file gives to WordPress to translate."""
    for start in re.finditer(r"(?<![\w>:$\\])(?:__|_e|esc_html__|esc_html_e|esc_attr__|esc_attr_e)\(", php):
        text = re.match(r"\s*'((?:[^'\\]|\\.)*)',\s*'fluentcrm-sidecar'\s*\)", php[start.end() :])
        assert text, f"not a plain text of this domain: {php[start.start() : start.end() + 80]}"
        yield re.sub(r"\\(['\\])", r"\1", text[1])


def test_the_template_has_every_text_and_no_other() -> None:
    headers = dict(re.findall(r"^ \* ([A-Z][\w ]+?):\s+(.+)$", MAIN, re.M))
    wanted = {headers[name].strip() for name in HEADERS if name in headers}
    for path in sorted(PLUGIN.rglob("*.php")):
        php = path.read_text("utf-8")
        wanted |= set(_said(php))
        other = re.findall(r"(?<![\w>:$\\])(?:_x|_ex|_n|_nx|_n_noop|_nx_noop|esc_html_x|esc_attr_x)\(", php)
        assert not other, f"{path.name}: this test does not know {other} yet"
    template = (FOLDER / f"{DOMAIN}.pot").read_text("utf-8")
    assert set(_texts(_catalog(FOLDER / f"{DOMAIN}.pot"))) == wanted, "run scripts/bridge-pot"
    assert not re.search(r"^#: (?:/|.*:\d)|X-Generator", template, re.M), "places without machine and line"


def test_the_scripts_have_nothing_to_translate() -> None:
    """scripts/bridge-pot leaves them out."""
    for path in sorted(PLUGIN.rglob("*.js")):
        assert not re.search(r"wp\.i18n|\b_[_xn]\(", path.read_text("utf-8")), path.name


def test_the_languages_are_those_of_the_shops() -> None:
    for suffix in ("po", "mo"):
        assert sorted(path.name for path in FOLDER.glob(f"*.{suffix}")) == [
            f"{DOMAIN}-{locale}.{suffix}" for locale in LOCALES
        ]


@pytest.mark.parametrize("locale", LOCALES)
def test_every_text_has_its_translation(locale: str) -> None:
    catalog = _catalog(FOLDER / f"{DOMAIN}-{locale}.po")
    assert str(catalog.locale) == locale
    assert not catalog.obsolete
    assert not [message.id for message in catalog if message.id and message.fuzzy]
    translated = _texts(catalog)
    assert set(translated) == set(_texts(_catalog(FOLDER / f"{DOMAIN}.pot"))), "run scripts/bridge-translations"
    for english, text in translated.items():
        assert text.strip(), f"no translation of {english!r}"
        # Placeholders, HTML, commands and what else is for machines.
        for kept in (r"%(?:\d+\$)?[-+0-9.']*[a-zA-Z%]", r"<[^>]*>", r"`[^`]+`", r"\b(?:fcsc1|fcsc_visitor)\b"):
            assert Counter(re.findall(kept, text)) == Counter(re.findall(kept, english)), english
        if len(unnumbered := re.findall(r"%[a-z]", english)) > 1:
            assert re.findall(r"%[a-z]", text) == unnumbered, english
        assert text == text.strip()
        assert re.findall(r"[.:]$", text) == re.findall(r"[.:]$", english), english


def test_persian_is_written_as_persian() -> None:
    for english, text in _texts(_catalog(FOLDER / f"{DOMAIN}-fa_IR.po")).items():
        prose = re.sub(r"`[^`]+`|https?://\S+|%(?:\d+\$)?\w", "", text)
        assert not re.search(r"[يك]|[,;?]|\bن?می ", prose), english
        assert not re.search(r"(?<![A-Za-z])[0-9٠-٩]", prose), f"{english}: Persian digits"
        assert prose.count("\u2066") == prose.count("\u2069"), english


@pytest.mark.parametrize("locale", LOCALES)
def test_the_compiled_catalogue_is_the_same(locale: str) -> None:
    catalog, compiled = _catalog(FOLDER / f"{DOMAIN}-{locale}.po"), FOLDER / f"{DOMAIN}-{locale}.mo"
    made = io.BytesIO()
    write_mo(made, catalog)
    again = _texts(read_mo(io.BytesIO(made.getvalue())))
    assert _texts(read_mo(io.BytesIO(compiled.read_bytes()))) == again, "run scripts/bridge-translations"
    with compiled.open("rb") as file:
        translations = gettext.GNUTranslations(file)
    assert translations.info()["language"] == locale
    assert {text: translations.gettext(text) for text in again} == _texts(catalog)


def test_the_folder_is_the_one_of_the_header() -> None:
    assert re.search(r"^ \* Text Domain:\s+fluentcrm-sidecar$", MAIN, re.M)
    assert re.search(r"^ \* Domain Path:\s+/languages$", MAIN, re.M)
    plugin = (PLUGIN / "src/Plugin.php").read_text("utf-8")
    assert (
        "load_plugin_textdomain( 'fluentcrm-sidecar', false, dirname( plugin_basename( FILE ) ) . '/languages' )"
        in plugin
    )


@pytest.fixture
def spoken(hpos: Site, request: pytest.FixtureRequest) -> Iterator[str]:
    """The shop in another language, of which WordPress itself has an empty file."""
    own = hpos.content / "languages" / f"{request.param}.mo"
    own.parent.mkdir(exist_ok=True)
    with own.open("wb") as file:
        write_mo(file, Catalog(locale=request.param))
    hpos.php("update_option( 'WPLANG', $in );", request.param)
    yield request.param
    hpos.php("update_option( 'WPLANG', '' );")
    own.unlink()


@pytest.mark.wordpress
@pytest.mark.parametrize("spoken", LOCALES, indirect=True)
def test_wordpress_says_them(hpos: Site, spoken: str, shopper: Shopper) -> None:
    wanted = _texts(_catalog(FOLDER / f"{DOMAIN}-{spoken}.po"))
    told = hpos.php("return array_map( fn( $text ) => translate( $text, 'fluentcrm-sidecar' ), $in );", list(wanted))
    assert told == list(wanted.values())
    shopper.login("admin")
    page = shopper.page("/wp-admin/admin.php?page=fluentcrm-sidecar&view=settings")
    for english in ("Pairing code", "Visitors", "Keep carts for (days)"):
        assert wanted[english] in page and english not in page


@pytest.mark.wordpress
@pytest.mark.parametrize("spoken", ["pl_PL"], indirect=True)
def test_wordpress_before_6_8_says_them_too(hpos: Site, spoken: str) -> None:
    """It knows no folder of the plugin but the one that the plugin names."""
    forgets = hpos.content / "extra" / "forgets.php"
    forgets.write_text(
        "<?php add_action( 'plugins_loaded', fn() => $GLOBALS['wp_textdomain_registry']->set_custom_path( 'fluentcrm-sidecar', '/nowhere' ) );"
    )
    try:
        assert hpos.php("return translate( 'Visitors', 'fluentcrm-sidecar' );") == "Odwiedzający"
    finally:
        forgets.unlink()


@pytest.mark.wordpress
@pytest.mark.parametrize("spoken", ["pl_PL"], indirect=True)
def test_the_roles_are_named_in_the_language_of_the_shop_that_activates(hpos: Site, spoken: str) -> None:
    """Role names lie in the database: they are said once, while the plugin is activated, when `init` is over."""
    plugin = f"{DOMAIN}/{DOMAIN}.php"
    names = "return array_values( array_intersect_key( wp_roles()->role_names, array( 'fcsc_crm_manager' => 1, 'fcsc_support' => 1 ) ) );"
    off = "deactivate_plugins( $in ); remove_role( 'fcsc_crm_manager' ); remove_role( 'fcsc_support' );"
    on = "return is_wp_error( activate_plugin( $in ) ) ? 'not activated' : 'ok';"
    admin = "require_once ABSPATH . 'wp-admin/includes/plugin.php';"
    try:
        hpos.php(admin + off, plugin)
        assert hpos.php(admin + on, plugin) == "ok"
        assert hpos.php(names) == ["Menedżer CRM", "Obsługa klienta"]
    finally:
        hpos.php("update_option( 'WPLANG', '' );")
        hpos.php(admin + off, plugin)
        assert hpos.php(admin + on, plugin) == "ok"
    assert hpos.php(names) == ["CRM manager", "Support"]
