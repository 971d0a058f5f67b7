"""The configuration's shape: one struct a section, every key with its default.

Reading the file, the environment and `wp-config.php` into these structs is `sidecar.config_file`'s work.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from sidecar.config_channels import Channels
from sidecar.config_section import Clock, NotNegative, Percent, Positive
from sidecar.config_section import Section as Section


class Database(Section, frozen=True):
    """Where the shop's MySQL or MariaDB is. Empty values are filled from `wp-config.php` when `wp_path` is set."""

    host: str = ""
    port: NotNegative = 0
    unix_socket: str = ""
    user: str = ""
    password: str = ""
    password_file: str = ""
    name: str = ""


class Shop(Section, frozen=True):
    """The WordPress site. `table_prefix` is this blog's own (`wp_2_` on a multisite's second blog)."""

    wp_path: str = ""
    table_prefix: str = ""
    users_table: str = ""
    usermeta_table: str = ""
    database: Database = Database()


class State(Section, frozen=True):
    """Where the sidecar keeps all that it writes outside the shop's database."""

    dir: str = ""


class Vip(Section, frozen=True):
    """Who is a VIP: LTV among the top `percent` of buyers, and at least `min_orders` counted orders."""

    percent: Percent = 5.0
    min_orders: NotNegative = 2


class TestOrders(Section, frozen=True):
    """How hygiene recognises an order that somebody made to try the shop. It reports; it never removes."""

    emails: tuple[str, ...] = ("*@example.com", "test@*", "*+test@*")
    names: tuple[str, ...] = ("test", "testing", "asdf", "тест", "تست", "proba")
    max_total: str = ""


class People(Section, frozen=True):
    """Who is a person and what counts as bought."""

    paid_statuses: tuple[str, ...] = ()
    status_map: dict[str, str] = msgspec.field(default_factory=dict)
    exclude_roles: tuple[str, ...] = ()
    staff_roles: tuple[str, ...] = ("administrator", "shop_manager", "editor", "author", "contributor")
    vip: Vip = Vip()
    b2b_roles: tuple[str, ...] = ("wholesale_customer", "b2b_customer", "wholesaler", "b2b")
    b2b_meta: tuple[str, ...] = (
        "billing_nip", "_billing_nip", "billing_vat", "_billing_vat", "billing_vat_number",
        "_billing_vat_number", "vat_number", "_vat_number", "billing_eu_vat_number",
        "_billing_eu_vat_number", "billing_eik", "_billing_eik",
    )  # fmt: skip
    birthday_meta: tuple[str, ...] = (
        "birthday", "billing_birthday", "_billing_birthday", "birth_date", "billing_birth_date",
        "date_of_birth", "billing_date_of_birth", "dob",
    )  # fmt: skip
    optin_meta: tuple[str, ...] = (
        "marketing_optin", "mailchimp_woocommerce_is_subscribed", "mailpoet_woocommerce_checkout_optin",
        "newsletter_optin",
    )  # fmt: skip
    currency_rates: dict[str, str] = msgspec.field(default_factory=dict)
    vanished: Literal["keep", "erase"] = "keep"
    test_orders: TestOrders = TestOrders()


class OptIn(Section, frozen=True):
    """One proof of consent that the owner vouches for: a meta key, the values that mean yes, the wording shown."""

    source: str
    yes: tuple[str, ...] = ("yes", "1", "true", "on")
    wording: str = ""


class Consent(Section, frozen=True):
    """What proves that a person agreed to marketing e-mail. Empty: nobody did, and all are `transactional`."""

    email: tuple[OptIn, ...] = ()


class Mapping(Section, frozen=True):
    """Where the mapping rules are. Empty: `mapping.toml` beside the configuration, else the built-in default."""

    file: str = ""


class Segments(Section, frozen=True):
    """Where the segments are. Empty: `segments.toml` beside the configuration, else the built-in ones. `tags`: whether
    FluentCRM gets a tag of each, with `tag_title` as its title ({name} stands for the segment's)."""

    file: str = ""
    tags: bool = True
    tag_title: str = "Segment: {name}"


class Automations(Section, frozen=True):
    """Where the owner's automations are (empty: `automations` beside the configuration, else in the state directory, where
    wp-admin keeps what was edited there) and what holds for all of them. `cap_day` and `cap_week` are marketing messages a
    person gets by one channel, 0 is no limit; quiet hours ("HH:MM", in the person's or the shop's time) hold marketing back.
    `survey_url` is where `survey_link` in a message leads."""

    dir: str = ""
    cap_day: NotNegative = 2
    cap_week: NotNegative = 4
    quiet_from: Clock = "21:00"
    quiet_to: Clock = "09:00"
    credit_days: Positive = 5
    coupons_a_day: NotNegative = 500
    keep_days: Positive = 400
    survey_url: str = ""


class Sync(Section, frozen=True):
    """How hard a run may work the host. `limit_rate` is rows read from the shop per second and `max_load` the
    one-minute load above which reading slows down; 0 is no limit. What a run replaced can be undone for
    `undo_days`."""

    limit_rate: NotNegative = 0
    max_load: Annotated[float, Meta(ge=0)] = 0.0
    page_orders: Positive = 1500
    page_people: Positive = 500
    writers: Annotated[int, Meta(ge=1, le=4)] = 2
    processes: Annotated[int, Meta(ge=1, le=2)] = 2
    overlap_seconds: NotNegative = 300
    undo_days: NotNegative = 30


class Service(Section, frozen=True):
    """`sidecar serve`: where it listens (a Unix socket goes before host and port), and how often it looks.

    `poll_seconds` is the pause between two looks at the outbox, `reconcile_minutes` that between two comparisons of
    the whole shop with what is remembered of it. Without `metrics_token` there is no /metrics.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535)] = 8765
    unix_socket: str = ""
    threads: Annotated[int, Meta(ge=1, le=16)] = 3
    poll_seconds: Annotated[float, Meta(ge=0.2, le=300)] = 1.0
    reconcile_minutes: Positive = 15
    metrics_token: str = ""

    @property
    def endpoint(self) -> str:
        """Where the plugin reaches it: `unix:/path`, else `http://host:port`."""
        if self.unix_socket:
            return f"unix:{self.unix_socket}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


class Queue(Section, frozen=True):
    """Where background work waits to be woken. Empty: a SQLite file in the state directory."""

    url: str = ""


class Bridge(Section, frozen=True):
    """The plugin in WordPress. `site_url` is where WordPress answers (empty: the shop's own option `home`), `timeout`
    the seconds that a call may take; after `patience_seconds` without an answer changes are written quietly."""

    site_url: str = ""
    timeout: Annotated[float, Meta(ge=0.1, le=120)] = 30.0
    patience_seconds: NotNegative = 60


class Events(Section, frozen=True):
    """What becomes of events. The monitor shows `keep_days` and at most `keep_rows`, views and carts of visitors stay
    `activity_days`. An event that fails is tried `attempts` times. One that is older than `live_hours` is written
    quietly: no automation starts for it. The shop is asked every `poll_seconds`, with or without the plugin."""

    keep_days: Positive = 30
    keep_rows: Positive = 100_000
    activity_days: Positive = 90
    activity_rows: Positive = 500_000
    attempts: Annotated[int, Meta(ge=1, le=50)] = 8
    live_hours: Positive = 24
    poll_seconds: Annotated[int, Meta(ge=5, le=3600)] = 30


class Alerts(Section, frozen=True):
    """Where trouble is told, outside of WordPress: any of a webhook, a Telegram chat and SMTP. Told once when it begins
    and once when it is over. `quiet_factor`: a site is too quiet after so many times its usual longest pause between
    orders (0: never mind)."""

    webhook_url: str = ""
    telegram_token: str = ""
    telegram_chat: str = ""
    smtp_host: str = ""
    smtp_port: Annotated[int, Meta(ge=1, le=65535)] = 587
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str = ""
    smtp_password: str = ""
    smtp_from: str = ""
    smtp_to: tuple[str, ...] = ()
    no_pass_minutes: Positive = 15
    backlog_rows: Positive = 1000
    backlog_minutes: Positive = 15
    silent_minutes: Positive = 10
    quiet_factor: Annotated[float, Meta(ge=0)] = 2.0


class Log(Section, frozen=True):
    """What is written to standard error."""

    level: Literal["debug", "info", "warning", "error"] = "warning"
    format: Literal["text", "json"] = "text"


class Config(Section, frozen=True):
    """The whole configuration."""

    shop: Shop = Shop()
    state: State = State()
    people: People = People()
    consent: Consent = Consent()
    mapping: Mapping = Mapping()
    segments: Segments = Segments()
    automations: Automations = Automations()
    channels: Channels = Channels()
    sync: Sync = Sync()
    service: Service = Service()
    queue: Queue = Queue()
    bridge: Bridge = Bridge()
    events: Events = Events()
    alerts: Alerts = Alerts()
    log: Log = Log()
