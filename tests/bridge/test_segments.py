"""Segments as FluentCRM's dynamic segments: a campaign gets exactly the subscribed people who have the tag now."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from shopper import Shopper
from wordpress_site import Site

from sidecar.config import Config, Database, Shop
from sidecar.crm import tables
from sidecar.crm.segment_tags import SegmentTags
from sidecar.mysql.connection import Reader

pytestmark = pytest.mark.wordpress

SLUG = "fcsc_segment"
TAG, LIST = "FluentCrm\\App\\Models\\Tag", "FluentCrm\\App\\Models\\Lists"
DETAILS = "return apply_filters( 'fluentcrm_dynamic_segment_fcsc_segment', null, $in[0], $in[1] );"
LISTED = (
    "return apply_filters( 'fluentcrm_dynamic_segments', array( array( 'slug' => 'custom_segment', 'id' => 1 ) ) );"
)
SENDER = "delete_option( 'fluentcrm_is_sending_emails' ); ( new FluentCrm\\App\\Services\\Libs\\Mailer\\Handler() )->handle();"
PLUGIN = "fluentcrm-sidecar/fluentcrm-sidecar.php"


@pytest.fixture(autouse=True)
def no_segments(request: pytest.FixtureRequest) -> None:
    """None is left of another test."""
    site: Site = request.getfixturevalue("site" if "site" in request.fixturenames else "hpos")
    with contextlib.closing(site.connect()) as connection:
        tables.ensure(connection, "wp_")
    site.rows("DELETE FROM wp_fcsc_owned")
    site.mails()


def person(site: Site, status: str = "subscribed") -> int:
    """A new contact."""
    address = f"{secrets.token_hex(6)}@example.com"
    site.rows(
        "INSERT INTO wp_fc_subscribers (email, status, created_at, updated_at) VALUES (%s, %s, NOW(), NOW())",
        (address, status),
    )
    return int(site.rows("SELECT id FROM wp_fc_subscribers WHERE email = %s", (address,))[0][0])


def attach(site: Site, term: int, people: Iterable[int], kind: str = TAG) -> None:
    for contact in people:
        site.rows(
            "INSERT INTO wp_fc_subscriber_pivot (subscriber_id, object_id, object_type) VALUES (%s, %s, %s)",
            (contact, term, kind),
        )


def detach(site: Site, tag: int, contact: int) -> None:
    site.rows(
        "DELETE FROM wp_fc_subscriber_pivot WHERE subscriber_id = %s AND object_id = %s AND object_type = %s",
        (contact, tag, TAG),
    )


def new_tag(site: Site, title: str = "VIP") -> int:
    slug = f"tag-{secrets.token_hex(6)}"
    site.rows("INSERT INTO wp_fc_tags (title, slug) VALUES (%s, %s)", (title, slug))
    return int(site.rows("SELECT id FROM wp_fc_tags WHERE slug = %s", (slug,))[0][0])


def segment(site: Site, title: str = "Segment: VIP customers", people: Iterable[int] = ()) -> int:
    """A segment's tag, made by the sidecar. Returns the tag's id."""
    slug = secrets.token_hex(6)
    database = Database(unix_socket=site.server.socket, user="root", name=site.database)
    with (
        Reader(Config(shop=Shop(table_prefix="wp_", database=database))) as reader,
        contextlib.closing(site.server.connect(site.database)) as connection,
    ):
        made = SegmentTags(reader, connection, "2026-11-01 12:00:00")
        made.ensure({slug: title}, {})
    attach(site, made.ids[slug], people)
    return made.ids[slug]


class Admin:
    """FluentCRM's admin page: its REST calls, as the browser makes them."""

    def __init__(self, browser: Shopper) -> None:
        self.browser = browser
        browser.login("admin")
        self.nonce = {"X-WP-Nonce": browser.page("/wp-admin/admin-ajax.php?action=rest-nonce")}

    def get(self, path: str) -> Any:
        answer = self.browser.get(f"/wp-json/fluent-crm/v2/{path}", headers=self.nonce)
        assert answer.status_code == 200, answer.text[:2000]
        return answer.json()

    def post(self, path: str, data: dict[str, Any], status: int = 200) -> Any:
        answer = self.browser.post(f"/wp-json/fluent-crm/v2/{path}", data, headers=self.nonce)
        assert answer.status_code == status, answer.text[:2000]
        return answer.json()

    def segments(self) -> list[dict[str, Any]]:
        """What the recipient chooser offers."""
        found: list[dict[str, Any]] = self.get("reports/options?fields=lists,tags,segments")["options"]["segments"]
        return found

    def choose(self, tag: int) -> dict[str, Any]:
        """The recipients' form with that segment chosen: its value is made of what the chooser was given."""
        one = next(one for one in self.segments() if one["id"] == tag)
        return recipients(one["slug"], one["id"])

    def draft(self, chosen: dict[str, Any], status: int = 200) -> tuple[int, Any]:
        """A new campaign to these recipients. Returns its id and what FluentCRM says of the recipients."""
        title = f"Campaign {secrets.token_hex(4)}"
        campaign = int(self.post("campaigns", {"title": title})["id"])
        self.browser.site.rows(
            "UPDATE wp_fc_campaigns SET email_subject = 'Hello', email_body = '<p>Hello</p>' WHERE id = %s", (campaign,)
        )
        return campaign, self.post(f"campaigns/{campaign}/draft-recipients", chosen, status)

    def send(self, campaign: int) -> set[int]:
        """Send now, as far as the queue. Returns the contacts that the campaign goes to."""
        self.post(f"campaigns/{campaign}/schedule", {})
        for _ in range(20):
            if self.get(f"campaigns/{campaign}/processing-stat")["campaign"]["status"] != "processing":
                break
        rows = self.browser.site.rows(
            "SELECT subscriber_id, status FROM wp_fc_campaign_emails WHERE campaign_id = %s", (campaign,)
        )
        assert len(rows) == len({contact for contact, _ in rows})
        return {int(contact) for contact, _ in rows}


def recipients(slug: str, tag: int) -> dict[str, Any]:
    chosen = {"uid": f"{slug}_{tag}", "slug": slug, "id": tag}
    return {
        "sending_filter": "dynamic_segment",
        "subscribers[0][list]": "all",
        "subscribers[0][tag]": "all",
        "advanced_filters": "[[]]",
        **{f"dynamic_segment[{name}]": value for name, value in chosen.items()},
    }


@pytest.fixture
def admin(shopper: Shopper) -> Admin:
    return Admin(shopper)


def test_a_campaign_gets_exactly_the_people_of_the_segment(site: Site, admin: Admin) -> None:
    inside = {person(site) for _ in range(3)}
    out = {
        status: person(site, status) for status in ("unsubscribed", "pending", "bounced", "complained", "transactional")
    }
    elsewhere = [person(site), person(site)]
    tag = segment(site, people=[*inside, *out.values()])
    attach(site, segment(site, "Others"), elsewhere[:1])
    attach(site, tag, elsewhere[1:], LIST)  # a list with the tag's number is another thing

    chosen = admin.choose(tag)
    assert admin.post("campaigns/estimated-contacts", chosen)["count"] == 3
    campaign, said = admin.draft(chosen)
    assert said["count"] == 3
    assert admin.get(f"campaigns/{campaign}/estimated-recipients-count")["estimated_count"] == 3
    shown = admin.get(f"campaigns/{campaign}/contacts-by-segment?per_page=10&page=1")["subscribers"]["data"]
    assert {int(contact["id"]) for contact in shown} == inside
    assert admin.send(campaign) == inside

    # And the e-mails themselves.
    site.rows(
        "UPDATE wp_fc_campaign_emails SET scheduled_at = '2020-01-01 00:00:00' WHERE campaign_id = %s", (campaign,)
    )
    site.php(SENDER)
    addresses = [site.rows("SELECT email FROM wp_fc_subscribers WHERE id = %s", (one,))[0][0] for one in sorted(inside)]
    assert sorted(str(mail["to"]) for mail in site.mails() if mail["subject"] == "Hello") == sorted(addresses), (
        site.rows("SELECT status, note FROM wp_fc_campaign_emails WHERE campaign_id = %s", (campaign,))
    )


def test_the_next_campaign_follows_the_tag(hpos: Site, admin: Admin) -> None:
    """Also one whose recipients were chosen before: who has the tag when it is sent."""
    stays, leaves, comes, unsubscribes = (person(hpos) for _ in range(4))
    tag = segment(hpos, people=[stays, leaves, unsubscribes])
    campaign, said = admin.draft(admin.choose(tag))
    assert said["count"] == 3
    attach(hpos, tag, [comes])
    detach(hpos, tag, leaves)
    hpos.rows("UPDATE wp_fc_subscribers SET status = 'unsubscribed' WHERE id = %s", (unsubscribes,))
    assert admin.send(campaign) == {stays, comes}
    campaign, said = admin.draft(admin.choose(tag))
    assert said["count"] == 2
    assert admin.send(campaign) == {stays, comes}


@pytest.fixture
def crowd(hpos: Site) -> Iterator[None]:
    """So many other contacts that the database begins with the tag, not with the contacts."""
    hpos.rows(
        "INSERT INTO wp_fc_subscribers (email, status) SELECT CONCAT('crowd', seq, '@example.com'), 'subscribed' FROM seq_1_to_3000"
    )
    yield
    hpos.rows("DELETE FROM wp_fc_subscribers WHERE email LIKE 'crowd%'")


@pytest.mark.usefixtures("crowd")
def test_more_people_than_one_bite(hpos: Site, admin: Admin) -> None:
    """FluentCRM goes through them by thirties, in 3 by their ids, in 2.9 by offset: there the order must not be chance."""
    people = [person(hpos) for _ in range(70)]
    tag = segment(hpos, people=[*people[40:], *reversed(people[:40])])
    campaign, said = admin.draft(admin.choose(tag))
    assert said["count"] == 70
    assert admin.send(campaign) == set(people)
    bite = hpos.php(
        "$it = apply_filters( 'fluentcrm_dynamic_segment_fcsc_segment', array(), $in, array( 'model' => true ) )['model'];"
        "if ( version_compare( FLUENTCRM_PLUGIN_VERSION, '3', '>=' ) ) { $it->reorder( 'id' ); }"
        "return $it->where( 'status', 'subscribed' )->limit( 30 )->offset( 30 )->get()->pluck( 'id' )->toArray();",
        tag,
    )
    assert [int(one) for one in bite] == people[30:60]


def test_the_chooser_lists_the_segments(hpos: Site, admin: Admin) -> None:
    big, small = segment(hpos), segment(hpos, "Segment: At risk 100% <b>%s</b> «%d»")
    new_tag(hpos, "The owner's own")
    hpos.rows("INSERT INTO wp_fcsc_owned VALUES ('tag', %s, 'x', NOW())", (new_tag(hpos, "Tag of a mapping"),))
    hpos.rows("INSERT INTO wp_fcsc_owned VALUES ('segment', %s, 'renamed', NOW())", (big,))  # one tag, once
    listed = admin.segments()
    assert [(one["id"], one["slug"], one["title"], one["is_system"]) for one in listed] == [
        (small, SLUG, "Segment: At risk 100% <b>%s</b> «%d»", True),
        (big, SLUG, "Segment: VIP customers", True),
    ]
    assert {"subtitle", "description"} <= set(listed[0])
    assert [one["slug"] for one in hpos.php(LISTED)] == ["custom_segment", SLUG, SLUG]  # Pro's stay


def test_a_segment_whose_tag_is_gone(hpos: Site, admin: Admin) -> None:
    """Not offered, and nobody's: a campaign that had chosen it is not sent to anybody."""
    tag = segment(hpos, people=[person(hpos)])
    chosen = admin.choose(tag)
    campaign, _ = admin.draft(chosen)
    hpos.rows("DELETE FROM wp_fc_tags WHERE id = %s", (tag,))
    assert admin.segments() == []
    assert admin.post("campaigns/estimated-contacts", chosen)["count"] == 0
    assert admin.send(campaign) == set()
    assert "message" in admin.draft(chosen, status=422)[1]


@pytest.mark.parametrize("kind", ["", "tag"])
def test_only_the_sidecars_tags_are_segments(hpos: Site, kind: str) -> None:
    tag = new_tag(hpos)
    attach(hpos, tag, [person(hpos)])
    if kind:
        hpos.rows("INSERT INTO wp_fcsc_owned VALUES (%s, %s, 'x', NOW())", (kind, tag))
    for given in (tag, 0, "", "x", f"{tag} OR 1=1", -1, None):
        assert hpos.php(DETAILS, [given, {"model": True}]) is None


def test_what_is_asked_of_one(hpos: Site) -> None:
    """As Pro and others ask: a count, people with or without pages, the query; all at once, and none spoils another."""
    people = [person(hpos), person(hpos, "unsubscribed"), person(hpos)]
    tag = segment(hpos, people=people)
    plain = hpos.php(DETAILS, [str(tag), {}])
    assert (plain["id"], plain["slug"], plain["title"]) == (tag, SLUG, "Segment: VIP customers")
    assert not {"model", "contact_count", "subscribers"} & set(plain)
    assert hpos.php(DETAILS, [tag, {"model": False, "contact_count": True}])["contact_count"] == 3
    assert len(hpos.php(DETAILS, [tag, {"subscribers": True}])["subscribers"]) == 3
    said = hpos.php(
        "$_REQUEST['per_page'] = $_GET['per_page'] = 2;"
        "$one = apply_filters( 'fluentcrm_dynamic_segment_fcsc_segment', array(), $in, array( 'model' => true, 'contact_count' => true, 'subscribers' => true, 'paginate' => true ) );"
        "return array( $one['contact_count'], $one['subscribers']->total(), get_class( $one['model']->getModel() ), $one['model']->get()->pluck( 'id' )->toArray(),"
        " $one['model']->where( 'status', 'subscribed' )->count(), $one['model']->limit( 1 )->offset( 1 )->get()->count() );",
        tag,
    )
    assert said[:3] == [3, 3, "FluentCrm\\App\\Models\\Subscriber"]
    assert sorted(int(one) for one in said[3]) == people
    assert said[4:] == [2, 1]


def test_before_the_first_sync_there_is_no_table(hpos: Site, admin: Admin) -> None:
    log = hpos.content / "debug.log"
    before = log.read_text("utf-8").count("fcsc_owned") if log.exists() else 0
    hpos.rows("DROP TABLE wp_fcsc_owned")
    assert admin.segments() == []
    assert admin.post("campaigns/estimated-contacts", recipients(SLUG, 1))["count"] == 0
    assert (log.read_text("utf-8").count("fcsc_owned") if log.exists() else 0) == before


def test_without_fluentcrm_nothing_breaks(hpos: Site) -> None:
    tag = segment(hpos)
    active = hpos.php("return get_option( 'active_plugins' );")
    try:
        hpos.php("update_option( 'active_plugins', $in );", [name for name in active if "fluent-crm/" not in name])
        assert hpos.php("return class_exists( 'FluentCrm\\App\\Models\\Subscriber' );") is False
        assert hpos.php(DETAILS, [tag, {"model": True}]) is None
        hpos.rows("RENAME TABLE wp_fc_tags TO away")
        assert hpos.php(LISTED) == [{"slug": "custom_segment", "id": 1}]
    finally:
        with contextlib.suppress(Exception):
            hpos.rows("RENAME TABLE away TO wp_fc_tags")
        hpos.php("update_option( 'active_plugins', $in );", active)


def test_without_the_plugin_a_campaign_goes_to_nobody(hpos: Site, admin: Admin) -> None:
    """Nothing of the segments is stored anywhere but in the sidecar's tags and rows."""
    tag = segment(hpos, people=[person(hpos)])
    chosen = admin.choose(tag)
    campaign, _ = admin.draft(chosen)
    active = hpos.php("return get_option( 'active_plugins' );")
    try:
        hpos.php("update_option( 'active_plugins', $in );", [name for name in active if name != PLUGIN])
        assert admin.segments() == []
        assert admin.post("campaigns/estimated-contacts", chosen)["count"] == 0
        assert admin.send(campaign) == set()
    finally:
        hpos.php("update_option( 'active_plugins', $in );", active)


def test_no_page_of_the_shop_asks_for_segments(hpos: Site, shopper: Shopper) -> None:
    segment(hpos)
    for path in ("/", "/shop/", "/product/cup/", "/classic-checkout/"):
        shopper.page(path)
    assert [sql for line in hpos.requests_log() for sql in line["sql"] if "fcsc_owned" in sql] == []
