"""The pages: what they show, what their forms do, and that no name of a customer becomes HTML."""

from __future__ import annotations

import re
from pathlib import Path

import bridging
import pytest
from fragments import EVIL, PERSIAN, Checked
from shopkeeper import Shopkeeper
from signer import ACTORS, ADMIN, Signer
from support import ShopDatabase

from sidecar.events.monitor import Done, record
from sidecar.events.outbox import Hint
from sidecar.runtime import Runtime
from sidecar.state import dead_letters, jobs
from sidecar.sync.session import Choices


def seen(bridge: Signer, view: str, who: str = ADMIN) -> str:
    """The text of a page that is in order."""
    return re.sub(r"\s+", " ", Checked(bridge.page(view, who=who)).text)


def contact_of(shop: ShopDatabase, email: str) -> int:
    return int(shop.rows("SELECT id FROM wp_fc_subscribers WHERE email = %s", (email,))[0][0])


def note(runtime: Runtime, topic: str, object_id: int, *, contact_id: int | None = None, number: int = 1) -> None:
    """An event in the monitor."""
    person = None
    if contact_id is not None:
        person = runtime.state.rows("SELECT id FROM person WHERE contact_id = ?", (contact_id,))[0][0]
    hint = Hint(id=number, topic=topic, object_id=object_id, created_ms=1793534100000 + number)
    record(runtime.state, [Done(hint=hint, outcome="changed", person_id=person)], 1793534200000 + number)


@pytest.mark.parametrize("who", [ADMIN, PERSIAN, *ACTORS.values()])
@pytest.mark.parametrize("view", ["status", "events", "sync"])
def test_before_anything_happened(bridge: Signer, view: str, who: str) -> None:
    html = bridge.page(view, who=who)
    Checked(html)
    assert f'dir="{"rtl" if who == PERSIAN else "ltr"}"' in html
    assert ('lang="fa-IR"' if who == PERSIAN else 'lang="en-US"') in html


def test_names_of_the_shop_stay_text(demo_hpos: ShopDatabase, runtime: Runtime, bridge: Signer) -> None:
    """Customers, products, order meta, statuses, tags: whatever somebody types at a checkout."""
    keeper = Shopkeeper(demo_hpos)
    product = keeper.one("SELECT ID FROM wp_posts WHERE post_type = 'product' LIMIT 1")
    keeper.do("UPDATE wp_posts SET post_title = %s WHERE ID = %s", EVIL, product)
    order = keeper.order("evil@shop.example", lines=((product, 1, EVIL),), billing={"first_name": EVIL, "last_name": EVIL, "city": EVIL},
                         meta={EVIL: EVIL, "_wc_order_attribution_utm_source": EVIL})  # fmt: skip
    keeper.do("UPDATE wp_wc_order_addresses SET first_name = %s, last_name = %s WHERE order_id = %s", EVIL, EVIL, order)
    user = keeper.one("SELECT user_id FROM wp_usermeta LIMIT 1")
    keeper.do("UPDATE wp_users SET display_name = %s WHERE ID = %s", EVIL, user)
    keeper.do("INSERT INTO wp_usermeta (user_id, meta_key, meta_value) VALUES (%s, %s, %s)", user, EVIL, "retail")
    runtime.sync(Choices())
    contact = contact_of(demo_hpos, "evil@shop.example")
    keeper.do("UPDATE wp_fc_subscribers SET first_name = %s, last_name = %s WHERE id = %s", EVIL, EVIL, contact)
    for number, (topic, id_) in enumerate((("order.created", order), ("customer.updated", user), ("product.viewed", product),
                                           ("contact.updated", contact)), 1):  # fmt: skip
        note(runtime, topic, id_, contact_id=contact, number=number)
    dead_letters.add(runtime.state, "order", f"order:{EVIL}", EVIL, EVIL)
    runtime.explore("users")
    for view in ("status", "events", f"contact/{contact}", "mapping?kind=users&all=1"):
        html = bridge.page(view)
        Checked(html)
        assert "<img" not in html and "<script" not in html, view
        assert "&lt;img src=x" in html, f"{view} does not show it at all"
    answer = bridge.form(
        "mapping", action="preview", text=f'[[field]]\nto = "custom:x"\nfrom = "{EVIL}"', contacts=str(contact)
    )
    Checked(answer.text)
    text = '[[field]]\nto = "first_name"\nfrom = "billing.city"\n'
    answer = bridge.form("mapping", action="preview", text=text, contacts=str(contact), show="1")
    Checked(answer.text)
    assert answer.status_code == 200 and "&lt;img src=x" in answer.text


@pytest.mark.parametrize(
    "query",
    ["status?notice=<script>", "events?type=<script>&after=<b>", "sync?undo=<b>", "mapping?kind=<b>&all=<b>&notice=saved",
     "events?type=order&type=cart", "events?after=-1", "events?after=99999999999999999999", "sync?undo=1%20OR%201=1"],
)  # fmt: skip
def test_what_stands_in_the_url_is_never_shown(bridge: Signer, query: str) -> None:
    html = bridge.page(query)
    Checked(html)
    assert "<script" not in html and "&lt;" not in html.partition("<textarea")[0]


def test_the_status_page_says_how_it_stands(synced: Signer, runtime: Runtime) -> None:
    text = seen(synced, "status")
    people = runtime.status().people["in"]
    assert f"Contacts kept {people}" in text
    assert "WooCommerce's order tables (HPOS)" in text and "it has never answered" in text


def test_the_status_page_shows_how_late_and_how_wrong(
    synced: Signer, runtime: Runtime, demo_hpos: ShopDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pain 9: how far behind the shop, and how many of a thousand events failed."""
    note(runtime, "order.created", 1)
    note(runtime, "order.created", 2, number=2)
    hint = Hint(id=3, topic="order.paid", object_id=3, created_ms=1793534100003)
    record(runtime.state, [Done(hint=hint, outcome="failed", reason="x")], 1793534200003)
    bridging.install(demo_hpos)
    bridging.hint(demo_hpos, "order.created", 4)
    monkeypatch.setenv("SIDECAR_NOW", "2026-11-01T12:17:00Z")
    text = seen(synced, "status")
    assert "Events that failed, per 1,000 333.33" in text
    assert "Behind the shop 17 minutes" in text
    assert "Last sync 17 minutes ago" in text


def test_the_status_page_says_that_nobody_follows_the_shop(
    synced: Signer, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pain 9: passes have stopped and nothing waits, so that there is no lag to see."""
    assert "not following the shop" not in seen(synced, "status")
    monkeypatch.setenv("SIDECAR_NOW", "2026-11-01T13:00:00Z")
    assert "not following the shop" in seen(synced, "status")
    runtime.pause()
    assert "not following the shop" not in seen(synced, "status"), "the owner wanted it"


def test_the_status_page_before_the_first_import(bridge: Signer) -> None:
    assert "nothing was imported yet" in seen(bridge, "status")


def test_dead_letters_and_another_try(synced: Signer, runtime: Runtime) -> None:
    before = len(runtime.letters())
    assert before, "the demo shop has some"
    letter = runtime.letters()[0]
    assert letter.ref in seen(synced, "status")
    answer = synced.form("status", action="retry", letter=str(letter.id))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/ui/status?notice=retry")
    job = jobs.latest(runtime.state)
    assert job is not None and (job.kind, job.options, job.state) == ("retry", {"letters": [letter.id]}, "queued")
    assert "being looked at again" in seen(synced, "status?notice=retry")
    done = runtime.work(job.id, lambda: False)
    assert done is not None and done.state == "done", done
    assert synced.form("status", action="retry", letter="no number").status_code == 400


def test_the_monitor_has_names_from_the_shop(
    demo_hpos: ShopDatabase, synced: Signer, runtime: Runtime, state_dir: Path
) -> None:
    order, email = demo_hpos.rows(
        "SELECT o.id, o.billing_email FROM wp_wc_orders o JOIN wp_fc_subscribers s ON s.email = o.billing_email"
        " WHERE o.status = 'wc-completed' AND o.customer_id = 0 LIMIT 1"
    )[0]
    first, last = demo_hpos.rows(
        "SELECT first_name, last_name FROM wp_wc_order_addresses WHERE order_id = %s AND address_type = 'billing'",
        (order,),
    )[0]
    contact = contact_of(demo_hpos, email)
    note(runtime, "order.created", order, contact_id=contact)
    product, title = demo_hpos.rows("SELECT ID, post_title FROM wp_posts WHERE post_type = 'product' LIMIT 1")[0]
    note(runtime, "product.viewed", product, number=2)
    text = seen(synced, "events")
    assert f"#{order} {first} {last}" in text and f"#{product} {title}" in text
    assert "5 minutes ago" in text and "contact changed" in text
    assert f"view=contact%2F{contact}" in synced.page("events")
    assert title not in seen(synced, "events?type=order") and f"#{order}" in seen(synced, "events?type=order")
    stored = b"".join(file.read_bytes() for file in state_dir.glob("state.sqlite3*"))
    assert email.encode() not in stored and last.encode() not in stored, "a name is kept in the state"


def test_older_events_by_key(bridge: Signer, runtime: Runtime) -> None:
    for number in range(1, 121):
        note(runtime, "order.updated", number, number=number)
    ids: list[int] = []
    query = "events"
    for _ in range(3):
        html = bridge.page(query)
        ids += [int(id_) for id_ in re.findall(r"<td>#(\d+)", html)]
        older = re.search(r"after=(\d+)", html)
        query = f"events?after={older[1]}" if older else ""
    assert ids == list(range(120, 0, -1)) and not query


def test_a_sync_from_the_page(synced: Signer, runtime: Runtime) -> None:
    answer = synced.form("sync", action="start", months="3", what="guests")
    assert answer.headers["Location"] == "/ui/sync?notice=started"
    job = jobs.latest(runtime.state)
    assert job is not None and job.options == {"since_months": 3, "only": ["guests"], "full": False}
    text = seen(synced, "sync?notice=started")
    assert "The work has been started." in text and "waiting" in text
    # One at a time.
    again = synced.form("sync", action="start")
    assert again.status_code == 409 and "has not ended yet" in Checked(again.text).text
    assert synced.form("sync", action="pause").status_code == 303
    assert "paused" in seen(synced, "sync")
    assert synced.form("sync", action="resume").status_code == 303
    done = runtime.work(job.id, lambda: False)
    assert done is not None and (done.state, done.result["mode"]) == ("done", "changes")
    assert synced.form("sync", action="pause").status_code == 404
    for bad in ({"months": "2"}, {"what": "everybody' OR 1=1"}):
        assert synced.form("sync", action="start", **bad).status_code == 400


def test_an_undo_is_asked_about_first(synced: Signer, runtime: Runtime, demo_hpos: ShopDatabase) -> None:
    run = str(next(iter(runtime.undo_runs())))
    answer = synced.form("sync", action="undo", run=run)
    assert answer.headers["Location"] == f"/ui/sync?undo={run}"
    assert jobs.latest(runtime.state) is None
    assert f"Take run {run} back?" in seen(synced, f"sync?undo={run}")
    assert synced.form("sync", action="undo", run=run, sure="1").status_code == 303
    job = jobs.latest(runtime.state)
    assert job is not None and job.kind == "undo"
    done = runtime.work(job.id, lambda: False)
    assert done is not None and done.state == "done", done
    assert int(run) not in runtime.undo_runs()
    assert "there is nothing to undo" in seen(synced, f"sync?undo={run}")


def test_rules_are_checked_tried_and_saved(synced: Signer, runtime: Runtime, state_dir: Path) -> None:
    html = synced.page("mapping")
    assert "The built-in rules are in force" in html
    base = re.search(r'name="base" value="(\w{64})"', html)
    assert base
    bad = '[[field]]\nto = "custom:woo_x"\nfrom = "person.frist_name"\ntransform = ["uper"]\n'
    answer = synced.form("mapping", action="save", text=bad, base=base[1])
    text = Checked(answer.text).text
    assert answer.status_code == 422 and "2 problems: nothing was saved" in text
    assert "Line 3" in text and "Line 4" in text and "did you mean" in text
    assert "person.frist_name" in answer.text, "what was typed is lost"
    good = '[[field]]\nto = "custom:woo_city"\nlabel = "City"\nfrom = "billing.city"\n'
    assert "The rules are in order." in Checked(synced.form("mapping", action="check", text=good).text).text
    tried = synced.form("mapping", action="preview", text=good)
    assert tried.status_code == 200 and "woo_city" in tried.text
    assert "@" not in re.sub(r"\w\*\*\*@\w\*\*\*\.\w+", "", Checked(tried.text).text), "an address in the clear"
    saved = synced.form("mapping", action="save", text=good.replace("\n", "\r\n"), base=base[1])
    assert saved.headers["Location"] == "/ui/mapping?notice=saved&kind=users"
    assert (state_dir / "mapping.toml").read_text() == good
    assert list(runtime.mapping.custom) == ["woo_city"]
    # Somebody else's edit in between is not overwritten.
    (state_dir / "mapping.toml").write_text(good + "# by hand\n")
    lost = synced.form("mapping", action="save", text=good, base=base[1])
    assert lost.status_code == 409 and "changed meanwhile" in Checked(lost.text).text
    assert (state_dir / "mapping.toml").read_text().endswith("# by hand\n")
    fresh = re.search(r'name="base" value="(\w{64})"', synced.page("mapping"))
    assert fresh
    assert synced.form("mapping", action="save", text=good, base=fresh[1]).status_code == 303
    backups = list(state_dir.glob("mapping.toml.2*Z"))
    assert [backup.read_text() for backup in backups] == [good + "# by hand\n"]


def test_the_preview_shows_values_to_those_who_ask(synced: Signer, demo_hpos: ShopDatabase) -> None:
    contact, email, city = demo_hpos.rows(
        "SELECT id, email, city FROM wp_fc_subscribers WHERE city <> '' AND email LIKE '%@%' LIMIT 1"
    )[0]
    rules = '[[field]]\nto = "custom:woo_town"\nlabel = "Town"\nfrom = "billing.city"\n'
    masked = synced.form("mapping", action="preview", text=rules, contacts=str(contact))
    assert email not in masked.text
    shown = synced.form("mapping", action="preview", text=rules, contacts=str(contact), show="1")
    assert email in shown.text and city in Checked(shown.text).text
    assert synced.form("mapping", action="preview", text=rules, contacts="1,x").status_code == 400


def test_the_explorer_reads_in_the_background(synced: Signer, runtime: Runtime) -> None:
    assert "Not read yet" in seen(synced, "mapping")
    assert synced.form("mapping", action="explore", kind="users").status_code == 303
    assert "The shop is being read" in seen(synced, "mapping?kind=users")
    runtime.explore("users")
    text = seen(synced, "mapping?kind=users")
    assert "billing_city" in text and "being read" not in text


def test_the_contact_page(synced: Signer, demo_hpos: ShopDatabase) -> None:
    contact, email = demo_hpos.rows(
        "SELECT s.id, s.email FROM wp_fc_subscribers s JOIN wp_wc_orders o ON o.billing_email = s.email"
        " WHERE o.type = 'shop_order' AND o.status = 'wc-completed' AND EXISTS (SELECT 1 FROM wp_wc_orders r"
        " WHERE r.parent_order_id = o.id AND r.type = 'shop_order_refund') LIMIT 1"
    )[0]
    ltv = demo_hpos.rows(
        "SELECT value FROM wp_fc_subscriber_meta WHERE subscriber_id = %s AND `key` = 'woo_ltv'", (contact,)
    )
    text = seen(synced, f"contact/{contact}")
    assert email in text and f"{float(ltv[0][0]):,.2f}" in text
    assert "Why each field has its value" in text and "woo_ltv" in text
    assert synced.get("/ui/contact/999999999").status_code == 404


def test_an_error_is_a_page_too(bridge: Signer) -> None:
    answer = bridge.get("/ui/nothing")
    assert answer.status_code == 404
    assert "there is nothing here" in Checked(answer.text).text


def test_a_shop_that_is_away(bridge: Signer, runtime: Runtime, demo_hpos: ShopDatabase) -> None:
    """The database does not answer: said so, signed, with no trace."""
    import msgspec

    database = msgspec.structs.replace(runtime.config.shop.database, unix_socket="", host="127.0.0.1", port=1)
    runtime.config = msgspec.structs.replace(
        runtime.config, shop=msgspec.structs.replace(runtime.config.shop, database=database)
    )
    answer = bridge.get("/ui/contact/5")
    assert answer.status_code == 503
    assert "cannot connect" in Checked(answer.text).text
    assert bridge.get("/ui/sync").status_code == 200


@pytest.mark.parametrize(
    "key", ["x') OR ('1'='1", "x'; DROP TABLE wp_users; -- ", "x\\\\' OR 1=1 -- ", "%s", "{p}options", "ключ' #"]
)
def test_sql_in_a_meta_key_is_a_name_of_nothing(synced: Signer, demo_hpos: ShopDatabase, key: str) -> None:
    """A rule may name any meta key; it is a value in every statement."""
    users = demo_hpos.rows("SELECT COUNT(*) FROM wp_users")
    for group in ("user_meta", "order_meta", "item_meta", "product_meta"):
        rules = f'[[field]]\nto = "custom:woo_x"\nlabel = "X"\nfrom = "{group}.{key}"\n'
        answer = synced.form("mapping", action="preview", text=rules)
        assert answer.status_code in (200, 422), answer.text
        assert "woo_x" not in answer.text.partition("</textarea>")[2], "a key that nobody has gave a value"
    assert demo_hpos.rows("SELECT COUNT(*) FROM wp_users") == users
