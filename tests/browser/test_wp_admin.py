"""The sidecar's pages inside a real wp-admin, in a real browser, as people use them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browsing import NARROW, WIDE, Tab
from live_shop import IMAGE, SCRIPT, LiveShop
from running import eventually

from sidecar.state.database import State

pytestmark = pytest.mark.wordpress

Open = Callable[..., Tab]
VIEWS = ("status", "events", "sync", "segments", "automations", "mapping", "settings")


def visit(live: LiveShop, tab: Tab, view: str, **query: Any) -> Tab:
    """Open a page of ours and wait until it is there."""
    more = "".join(f"&{name}={value}" for name, value in query.items())
    tab.page.goto(f"{live.site.url}/wp-admin/admin.php?page=fluentcrm-sidecar&view={view}{more}")
    tab.page.wait_for_selector(".wrap.fcsc h1")
    return tab


def seen_well(tab: Tab, name: str, *, root: str = ".wrap.fcsc") -> None:
    """At both sizes: a picture, nothing sticks out, all text can be read."""
    for suffix, size in (("", WIDE), ("-390", NARROW)):
        tab.resize(size)
        tab.shot(name + suffix)
        assert not tab.overflow(root), (name, size)
    tab.resize(WIDE)
    assert not tab.pale(root), name


def test_the_menu_leads_to_the_status(live: LiveShop, open_as: Open) -> None:
    tab = open_as("admin")
    tab.page.goto(live.site.url + "/wp-admin/")
    tab.trouble.clear()
    link = tab.page.locator("#adminmenu a", has_text=re.compile(r"^Sidecar$"))
    assert link.count() == 1
    assert "fluentcrm" in (link.locator("xpath=ancestor::li[contains(@class,'menu-top')]").get_attribute("id") or "")
    tab.page.goto(live.site.url + "/wp-admin/" + (link.get_attribute("href") or ""))
    assert tab.page.locator("#adminmenu a.current", has_text="Sidecar").count() == 1
    said = tab.text(".fcsc-page")
    for words in ("connected", "following the shop", "10.9.1", "WooCommerce's order tables", "bad_phone"):
        assert words in said, words


@pytest.mark.parametrize("view", VIEWS)
def test_pages_look_right(live: LiveShop, open_as: Open, view: str) -> None:
    seen_well(visit(live, open_as("admin"), view), f"{view}-en")


@pytest.mark.parametrize("view", VIEWS)
def test_pages_look_right_from_right_to_left(live: LiveShop, open_as: Open, view: str) -> None:
    tab = visit(live, open_as("parsi"), view)
    assert tab.page.evaluate("getComputedStyle(document.querySelector('.wrap.fcsc')).direction") == "rtl"
    if view != "settings":
        assert tab.page.get_attribute("#fcsc-page", "lang") == "fa-IR"
        assert re.search(r"[\u0600-\u06ff]{3}", tab.text(".fcsc-title + nav"))
    seen_well(tab, f"{view}-fa")


@pytest.mark.parametrize("view", VIEWS)
def test_pages_by_keyboard_only(live: LiveShop, open_as: Open, view: str) -> None:
    left, dark = visit(live, open_as("admin"), view).walk(".wrap.fcsc")
    assert not left
    assert not dark


def test_an_order_appears_without_reloading(live: LiveShop, open_as: Open) -> None:
    tab = visit(live, open_as("admin"), "events")
    tab.page.evaluate("window.sameDocument = true")
    order = live.order("just-now@example.com", SCRIPT, IMAGE)
    row = tab.page.locator("#fcsc-events tr", has_text=f"#{order}").first
    row.wait_for(timeout=30_000)
    tab.page.locator("#fcsc-events tr", has_text="contact changed").first.wait_for(timeout=30_000)
    assert tab.page.evaluate("window.sameDocument === true")
    assert SCRIPT in tab.text("#fcsc-events")
    seen_well(tab, "events-order-en")
    tab.page.click(".fcsc-filter a:has-text('Products')")
    tab.page.wait_for_load_state()
    assert f"#{order}" not in tab.text("#fcsc-events")


def test_a_run_is_started_watched_and_taken_back(live: LiveShop, open_as: Open) -> None:
    person = live.contact("person8@example.com")
    ltv = "FROM wp_fc_subscriber_meta WHERE subscriber_id = %s AND `key` LIKE '%%ltv'"
    live.site.rows(f"DELETE {ltv}", (person,))
    tab = visit(live, open_as("admin"), "sync")
    tab.page.check("input[name=months][value='12']")
    tab.page.check("input[name=full]")
    tab.page.click("form:has(input[name=months]) button[type=submit]")
    tab.page.wait_for_selector(".fcsc-notice--ok")
    tab.shot("sync-started-en")
    tab.page.wait_for_selector("#fcsc-job :text('done')", timeout=60_000)
    visit(live, tab, "sync")
    seen_well(tab, "sync-done-en")
    assert live.site.rows(f"SELECT value {ltv}", (person,))
    undo = tab.page.locator("button", has_text="Undo")
    assert undo.count()
    undo.first.click()
    tab.page.wait_for_selector("#fcsc-ask")
    seen_well(tab, "sync-ask-en")
    tab.page.click("button:has-text('Take it back')")
    tab.page.wait_for_selector("#fcsc-job :text('Undo')")
    tab.page.wait_for_selector("#fcsc-job .fcsc-badge:has-text('done')", timeout=60_000)
    visit(live, tab, "sync")
    tab.shot("sync-undone-en")
    assert not live.site.rows(f"SELECT value {ltv}", (person,))


def test_rules_are_broken_mended_tried_and_saved(live: LiveShop, open_as: Open) -> None:
    tab = visit(live, open_as("admin"), "mapping")
    tab.page.click("button:has-text('Read')")
    tab.page.wait_for_selector("#fcsc-explore table", timeout=30_000)
    visit(live, tab, "mapping", kind="orders")
    tab.page.click("#fcsc-explore button")
    tab.page.locator("#fcsc-explore tbody tr", has_text="gift_note").wait_for(timeout=30_000)
    good = tab.page.input_value("#fcsc-text")
    tab.page.fill("#fcsc-text", good + '\n[[field]]\nto = "nowhere"\nfrom = "nobody.knows"\n[[field]]\nto = 17\n')
    tab.page.click("button[value=check]")
    tab.page.wait_for_selector("#fcsc-problems")
    problems = tab.page.locator("#fcsc-problems li")
    assert problems.count() >= 2
    assert all(re.match(r"Line \d+", text) for text in problems.all_inner_texts())
    seen_well(tab, "mapping-problems-en")
    person = live.contact("person1@example.com")
    tab.page.fill("#fcsc-text", good + "\n# mended in the browser\n")
    tab.page.fill("input[name=contacts]", str(person))
    tab.page.check("input[name=show]")
    tab.page.click("button[value=preview]")
    tab.page.wait_for_selector("#fcsc-preview")
    assert f"Contact {person}" in tab.text("section[aria-labelledby=fcsc-preview]")
    seen_well(tab, "mapping-preview-en")
    tab.page.click("button[value=save]")
    tab.page.wait_for_selector(".fcsc-notice--ok")
    saved = Path(live.bench.state_dir) / "mapping.toml"
    assert "# mended in the browser" in saved.read_text("utf-8")
    seen_well(tab, "mapping-saved-en")


@pytest.mark.parametrize("user", ["admin", "parsi"])
def test_a_segment_is_refreshed_edited_and_saved(live: LiveShop, open_as: Open, user: str) -> None:
    tab = visit(live, open_as(user), "segments")
    tab.page.click("form:has(input[value=refresh]) button")
    tab.page.wait_for_selector(".fcsc-notice--ok")
    tab.page.wait_for_selector("#fcsc-segments:not([data-fcsc-refresh])", timeout=30_000)
    seen_well(tab, f"segments-{user}")
    visit(live, tab, "segments", segment="repeat-buyers")
    seen_well(tab, f"segment-{user}")
    tab.page.click("a[href*='edit=repeat-buyers']")
    text = tab.page.input_value("#fcsc-text")
    least = 2 if "at_least = 2" in text else 3
    tab.page.fill("#fcsc-text", text.replace(f"at_least = {least}", "at_leest = 4"))
    tab.page.wait_for_selector("#fcsc-try li")
    assert "at_least" in tab.text("#fcsc-try li")
    tab.page.fill("#fcsc-text", text.replace(f"at_least = {least}", f"at_least = {least + 1}"))
    tab.page.wait_for_selector("#fcsc-try .fcsc-sum strong")
    seen_well(tab, f"segment-edit-{user}")
    tab.page.click("button[value=save]")
    tab.page.wait_for_selector(".fcsc-notice--ok")
    assert f"orders_count at least {least + 1}" in tab.text(".fcsc-rule")
    saved = Path(live.bench.state_dir) / "segments.toml"
    assert (
        f'slug = "repeat-buyers"\nname = "Repeat buyers"\nabout = "Two orders or more."\nrule = {{ field = "orders_count", at_least = {least + 1} }}'
        in saved.read_text("utf-8")
    )
    assert saved.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("user", ["admin", "parsi"])
def test_an_automation_is_edited_seen_and_switched(live: LiveShop, open_as: Open, user: str) -> None:
    """In the real wp-admin: the message as it would be with the shop's own links, another delay, on for a few, and off."""
    tab = visit(live, open_as(user), "automations")
    page, language = tab.page, "fa" if user == "parsi" else "en"
    page.click("tbody a[href*='automation=cart-recovery']:not(.button)")
    page.wait_for_selector(".fcsc-flow")
    seen_well(tab, f"automation-{user}")
    page.click("td a[href*='edit=first']")
    page.wait_for_selector("form[data-fcsc-live]")
    if language == "fa":
        page.click("a[href$='written=fa']")
        page.wait_for_selector("a[href$='written=fa'][aria-current]")
    page.fill(f"[name='f.text.{language}.subject']", "{{ shop.name }} \U0001f6d2")
    page.wait_for_selector("#fcsc-try iframe")
    page.frame_locator("#fcsc-try iframe").locator("table").first.wait_for()
    page.locator("#fcsc-try iframe").scroll_into_view_if_needed()
    tab.shot(f"automation-edit-{user}")
    visit(live, tab, "automations", automation="cart-recovery", edit="until-8h")
    page.fill("[name='f.period']", "9h")
    page.wait_for_selector("#fcsc-try .fcsc-sum")
    page.click("button[value=save]")
    page.wait_for_selector(".fcsc-notice--ok")
    saved = Path(live.bench.state_dir) / "automations" / "cart-recovery.toml"
    assert 'period = "9h"' in saved.read_text("utf-8") and saved.stat().st_mode & 0o777 == 0o600
    visit(live, tab, "automations", automation="cart-recovery", switch=1)
    page.fill("[name=rollout]", "20")
    page.fill("[name=holdout]", "10")
    if page.locator("[name=anyway]").count():
        page.check("[name=anyway]")
    tab.shot(f"automation-switch-{user}")
    page.click("button.button-primary")
    page.wait_for_selector(".fcsc-notice--ok")
    state = State(str(live.bench.state_dir))
    assert state.rows("SELECT running, rollout, holdout FROM automation WHERE running") == [(1, 20, 10)]
    state.close()
    page.click("form:has(input[value=off]) button")
    page.wait_for_selector(".fcsc-notice--ok")
    visit(live, tab, "automations", automation="cart-recovery", edit="%2B")
    page.click("form:has(input[value=reset]) button")
    page.click("section[role=alert] button")
    page.wait_for_selector(".fcsc-notice--ok")
    assert not saved.exists()


@pytest.mark.parametrize("user", ["admin", "parsi"])
def test_a_new_automation_is_made_and_removed(live: LiveShop, open_as: Open, user: str) -> None:
    """Through wp-admin and the plugin: its words arrive as they were typed; the same name is refused; what goes is kept beside."""
    tab = visit(live, open_as(user), "automations")
    page = tab.page

    def make() -> None:
        page.select_option("[name=source]", "win-back-30")
        page.fill("[name=title]", "‏فروش <b>بهار</b> & 50 % \\'\"")
        page.fill("[name=name]", "spring-sale")
        page.click("form:has([name=source]) button[type=submit]")

    make()
    page.wait_for_selector(".fcsc-notice--ok")
    seen_well(tab, f"automation-new-{user}")
    assert page.input_value("[name='f.title']") == "‏فروش <b>بهار</b> & 50 % \\'\""
    made = Path(live.bench.state_dir) / "automations" / "spring-sale.toml"
    assert made.stat().st_mode & 0o777 == 0o600
    visit(live, tab, "automations")
    make()
    page.wait_for_selector(".fcsc-notice--bad")
    assert page.input_value("[name=name]") == "spring-sale"
    visit(live, tab, "automations", automation="spring-sale", edit="%2B")
    page.click("form:has(input[value=remove]) button")
    page.click("section[role=alert] button")
    page.wait_for_selector(".fcsc-notice--ok")
    assert not made.exists() and list(made.parent.glob("spring-sale.toml.2*Z"))


def test_a_campaign_is_begun_from_a_segment(live: LiveShop, open_as: Open) -> None:
    """The draft that FluentCRM opens goes to the subscribed people of that segment; with none FluentCRM says so, and no draft
    is left."""
    tab = visit(live, open_as("admin"), "segments")
    live.bench.json("segments", "refresh", "--full")
    visit(live, tab, "segments", segment="first-time-buyers")
    tag = int(tab.page.get_attribute("[data-fcsc-campaign]", "data-fcsc-campaign") or 0)
    inside = f"SELECT subscriber_id FROM wp_fc_subscriber_pivot WHERE object_id = {tag}"
    were = live.site.rows(f"SELECT id, status FROM wp_fc_subscribers WHERE id IN ({inside})")
    live.site.rows(f"UPDATE wp_fc_subscribers SET status = 'transactional' WHERE id IN ({inside})")
    tab.page.click("[data-fcsc-campaign]")
    tab.page.wait_for_selector("[data-fcsc-campaign] + [role=alert]:not([hidden])")
    assert "no subscribers found" in tab.text("[data-fcsc-campaign] + [role=alert]")
    drafts = "SELECT COUNT(*) FROM wp_fc_campaigns WHERE type = 'campaign'"
    eventually(lambda: live.site.rows(drafts) == [(0,)], 10.0)
    tab.trouble.clear()  # the browser's own line about FluentCRM's no
    chosen = were[0][0]
    live.site.rows("UPDATE wp_fc_subscribers SET status = 'subscribed' WHERE id = %s", (chosen,))
    try:
        tab.page.click("[data-fcsc-campaign]")
        tab.page.wait_for_url("**/admin.php?page=fluentcrm-admin#/email/campaigns/*", timeout=20_000)
        tab.page.wait_for_timeout(2000)
        tab.shot("segment-campaign", full=False)
        number = int(tab.page.url.rsplit("/", 1)[1].partition("?")[0])
        title, settings, count = live.site.rows(
            "SELECT title, settings, recipients_count FROM wp_fc_campaigns WHERE id = %s", (number,)
        )[0]
        assert title.startswith("First-time buyers ")
        assert '"dynamic_segment"' in settings
        assert f'"fcsc_segment_{tag}"' in settings
        assert count == 1
    finally:
        tab.trouble.clear()  # FluentCRM's page
        for id_, status in were:
            live.site.rows("UPDATE wp_fc_subscribers SET status = %s WHERE id = %s", (status, id_))
        live.site.rows("DELETE FROM wp_fc_campaigns WHERE type = 'campaign'")


@pytest.mark.parametrize("user", ["admin", "parsi"])
def test_the_tab_on_the_contact(live: LiveShop, open_as: Open, user: str) -> None:
    number = live.contact("person3@example.com" if user == "parsi" else "person1@example.com")
    tab = open_as(user)
    tab.page.goto(f"{live.site.url}/wp-admin/admin.php?page=fluentcrm-admin#/subscribers/{number}")
    name = "همراه" if user == "parsi" else "Sidecar"  # the plugin's own translation
    entry = tab.page.locator("#wpbody-content").get_by_text(name, exact=True).locator("visible=true").first
    try:
        entry.wait_for(timeout=15_000)
    except Exception:
        tab.shot(f"contact-fail-{user}", full=False)
        print(tab.page.inner_text("body")[:1500], tab.trouble)
        raise
    tab.trouble.clear()  # FluentCRM's own start is not ours
    entry.click()
    tab.page.wait_for_selector("#fcsc-page #fcsc-orders")
    said = tab.text("#fcsc-page")
    if user == "admin":
        for words in ("LTV", "Orders", SCRIPT, "Why each field has its value"):
            assert words in said, words
    tab.resize((1280, 1500))
    tab.page.locator("#fcsc-page h2").first.scroll_into_view_if_needed()
    # FluentCRM measures in a frame 9,999 pixels to the left, which in RTL is a place that one can scroll to.
    tab.page.evaluate("document.scrollingElement.scrollLeft = 0")
    tab.shot(f"contact-{user}", full=False)
    assert tab.page.locator("#fcsc-page h1, #fcsc-page .fcsc-nav").count() == 0
    assert tab.page.evaluate("getComputedStyle(document.querySelector('.fcsc-card')).borderTopWidth") == "1px", (
        "no style"
    )
    assert not tab.pale("#fcsc-page")
    tab.resize(NARROW)
    tab.page.evaluate("document.scrollingElement.scrollLeft = 0")
    tab.shot(f"contact-{user}-390", full=False)
    assert not tab.overflow("#fcsc-page", whole=False)
    visit(live, tab, f"contact/{number}")
    seen_well(tab, f"contact-page-{user}")


def test_without_fluentcrm_the_entry_is_in_woocommerce(live: LiveShop, open_as: Open) -> None:
    plugins = live.site.php("return get_option( 'active_plugins' );")
    tab = open_as("admin")
    try:
        live.site.php("update_option( 'active_plugins', $in );", [name for name in plugins if "fluent-crm" not in name])
        tab.page.goto(live.site.url + "/wp-admin/plugins.php")
        tab.trouble.clear()
        link = tab.page.locator("#toplevel_page_woocommerce a", has_text=re.compile(r"^Sidecar$"))
        assert link.count() == 1
        visit(live, tab, "status")
        assert "FluentCRM is not active" in tab.text(".wrap.fcsc")
        tab.shot("no-fluentcrm-en")
    finally:
        live.site.php("update_option( 'active_plugins', $in );", plugins)


def test_support_sees_but_does_nothing(live: LiveShop, open_as: Open) -> None:
    tab = visit(live, open_as("support"), "status")
    assert tab.page.locator(".fcsc-nav a").all_inner_texts() == ["Status", "Events", "Sync", "Segments", "Automations"]
    assert tab.page.locator(".wrap.fcsc form").count() == 0
    tab.shot("status-support")
    visit(live, tab, "sync")
    assert tab.page.locator(".wrap.fcsc form, .wrap.fcsc button").count() == 0
    tab.shot("sync-support")


def test_a_code_is_pasted(live: LiveShop, open_as: Open) -> None:
    tab = visit(live, open_as("admin"), "settings")
    tab.page.fill("#fcsc-code", "fcsc1.not-a-code")
    tab.page.click("#pair")
    tab.page.wait_for_selector(".notice-error")
    tab.page.fill("#fcsc-code", live.run("pair", "--print-code").split()[-1])
    tab.page.click("#pair")
    tab.page.wait_for_selector(".notice-success")
    tab.page.click(".fcsc-switch a")
    tab.page.wait_for_selector("#fcsc-status")
    assert "connected" in tab.text("#fcsc-status")
