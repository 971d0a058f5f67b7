"""The plugin as a package: WordPress.org's rules, the size the issue sets, and the same zip from the same files."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from support import ROOT

PLUGIN = ROOT / "wp-bridge"
PHP = sorted(PLUGIN.rglob("*.php"))
SOURCE = {path.relative_to(PLUGIN).as_posix(): path.read_text("utf-8") for path in PHP}


def test_thin() -> None:
    assert sum(text.count("\n") for text in SOURCE.values()) <= 2600


def test_the_script_of_the_shop_is_small_and_plain() -> None:
    script = (PLUGIN / "assets/beacon.js").read_text("utf-8")
    assert len(gzip.compress(script.encode(), 9)) < 2048
    assert "jquery" not in script.lower()
    assert "=>" not in script  # browsers of old phones


def test_headers_and_versions_agree() -> None:
    main, readme = SOURCE["fluentcrm-sidecar.php"], (PLUGIN / "readme.txt").read_text("utf-8")
    header = dict(re.findall(r"^ \* ([A-Z][\w ]+?):\s+(.+)$", main, re.M))
    about = dict(re.findall(r"^([A-Z][\w ]+): (.+)$", readme.partition("== Description ==")[0], re.M))
    assert header["Version"] == about["Stable tag"]
    assert f"const VERSION = '{header['Version']}'" in main
    for name in ("Requires at least", "Requires PHP", "License"):
        assert header[name] == about[name]
    assert header["Requires PHP"] == "7.4"
    assert header["Requires Plugins"] == "woocommerce"
    assert header["Text Domain"] == "fluentcrm-sidecar"
    for section in ("== Description ==", "== External services ==", "== Installation ==", "== Changelog =="):
        assert section in readme
    assert len(readme.split("\n\n")[1]) <= 150  # WordPress.org cuts the short description there


@pytest.mark.parametrize("name", sorted(SOURCE))
def test_rules_of_wordpress_org(name: str) -> None:
    text = SOURCE[name]
    assert re.search(r"defined\( '(ABSPATH|WP_UNINSTALL_PLUGIN)' \) \|\| exit;", text)
    for forbidden in (
        "eval(",
        "shell_exec",
        "proc_open",
        "passthru",
        "error_log(",
        "var_dump(",
        "create_function",
        "<?=",
        "extract(",
        "mysqli",
        "wp_remote_get( 'http",
    ):
        assert forbidden not in text, forbidden
    for literal in re.findall(
        r"(?:__|_e|esc_html__|esc_html_e|esc_attr_e|esc_attr__)\(\s*'(?:[^'\\]|\\.)*'\s*(?:,\s*([^)]*?))?\s*\)", text
    ):
        assert literal == "'fluentcrm-sidecar'", literal


@pytest.mark.parametrize("name", sorted(SOURCE))
def test_what_the_plugin_never_touches(name: str) -> None:
    """Pains 32, 34, 35, 47: WooCommerce's sessions table, Action Scheduler; and it speaks to the sidecar alone, in one place.
    E-mails go into FluentCRM's queue by one file, which asks that site itself to send; the staff's tickets are another's."""
    text = SOURCE[name]
    assert not re.search(
        r"woocommerce_sessions|\bas_(?:schedule|enqueue|unschedule)_|ActionScheduler|WC\(\)->queue", text
    )
    if name != "src/Messages.php":
        assert not re.search(r"campaign_emails|CampaignEmail", text)
    if name != "src/Notes.php":
        assert not re.search(r"wp_mail\s*\(", text)
    calls = re.findall(
        r"wp_(?:safe_)?remote_\w+\s*\([^;]*|curl_|fsockopen|stream_socket_client|https?://(?!localhost)[^'\"]*['\"] ?\.",
        text,
    )
    if name == "src/Messages.php":
        assert [call.split(",")[0] for call in calls] == [
            "wp_remote_post( admin_url( 'admin-ajax.php?action=fluentcrm-post-campaigns-send-now' )"
        ]
    elif name != "src/Sidecar.php":
        assert not calls


def test_only_post_acts() -> None:
    """Pain 26: what may be asked of the sidecar by GET is a look, by the names that the sidecar gives to what acts."""
    asked = re.findall(r"array\( '(GET|POST)', '#\^(.*)#D', '\w+' \)", SOURCE["src/Proxy.php"])
    acts = r"start|pause|resume|cancel|undo|retry|confirm|erase|save|check|preview"
    assert len(asked) >= 12
    assert [pattern for method, pattern in asked if method == "GET" and re.search(acts, pattern)] == []
    routes = re.findall(r"\$route\( '([^']+)', '([^']+)'", SOURCE["src/Rest.php"])
    assert [(path.split("/")[1], method) for path, method in routes] == [("status", "GET"), ("proxy", "GET, POST")]
    assert re.findall(r"\$route\( \$path, '(\w+)'", SOURCE["src/Rest.php"]) == ["POST"]


@pytest.mark.parametrize("name", sorted(SOURCE))
def test_no_syntax_newer_than_php_7_4(name: str) -> None:
    """`php -l` of a newer PHP lets these pass."""
    text = re.sub(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|//[^\n]*|/\*.*?\*/", "''", SOURCE[name], flags=re.S)
    for newer, pattern in {
        "match": r"\bmatch\s*\(", "nullsafe": r"\?->", "enum": r"^\s*enum\s", "readonly": r"\breadonly\b", "attributes": r"#\[",
        "str_contains": r"\bstr_(contains|starts_with|ends_with)\s*\(", "union types": r"\)\s*:\s*\w+\s*\|", "first-class callable": r"\(\s*\.\.\.\s*\)",
        "constructor promotion": r"__construct\([^)]*\b(public|private|protected)\b", "named arguments": r"[(,]\s*[a-z_]+:\s",
        "static/mixed return": r"\)\s*:\s*(static|mixed|never)\b", "throw expression": r"(\?\?|=>|\?|:)\s*throw\b", "array_is_list": r"\barray_is_list\b",
    }.items():  # fmt: skip
        assert not re.search(pattern, text, re.M), newer


def test_the_styles_need_no_second_file_for_rtl() -> None:
    css = re.sub(r"/\*.*?\*/", "", (PLUGIN / "assets/admin.css").read_text("utf-8"), flags=re.S)
    physical = re.findall(
        r"(?<![\w-])(?:margin|padding|border)-(?:left|right)|(?<![\w-])(?:left|right)\s*:|float:\s*(?:left|right)", css
    )
    assert physical == []


def test_the_zip_is_reproducible() -> None:
    path = ROOT / "build" / "fluentcrm-sidecar.zip"
    made = []
    for _ in range(2):
        subprocess.run([sys.executable, str(ROOT / "scripts/bridge-zip")], check=True, capture_output=True, timeout=60)
        made.append(path.read_bytes())
        for file in PHP:
            Path(file).touch()
    assert made[0] == made[1]
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        assert archive.testzip() is None
    assert {"fluentcrm-sidecar/fluentcrm-sidecar.php", "fluentcrm-sidecar/readme.txt", "fluentcrm-sidecar/uninstall.php", "fluentcrm-sidecar/sql/tables.sql",
            "fluentcrm-sidecar/assets/beacon.js", "fluentcrm-sidecar/languages/fluentcrm-sidecar.pot",
            *(f"fluentcrm-sidecar/languages/fluentcrm-sidecar-{locale}.mo" for locale in ("bg_BG", "fa_IR", "pl_PL"))} <= set(names)  # fmt: skip
    assert all(name.startswith("fluentcrm-sidecar/") and ".." not in name for name in names)
    assert len(names) == len([file for file in PLUGIN.rglob("*") if file.is_file()])
