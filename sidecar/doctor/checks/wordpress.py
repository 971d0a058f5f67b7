"""WordPress itself: versions, times, addresses, wp-config.php."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from sidecar.doctor.model import Facts, Verdict, numbers
from sidecar.doctor.registry import check

# The database version from which on it is at least this WordPress (wp-admin/includes/upgrade.php).
DB_VERSIONS = ((60717, "6.9"), (58975, "6.7"), (57155, "6.5"), (56657, "6.4"), (55853, "6.3"), (53011, "6.0"))
UNSEEN = "not looked at: there is no wp-config.php to read"
PHP_MODULES = ("curl", "json")
STAGING = re.compile(
    r"(^|[.-])(stag(e|ing)\d*|dev(elopment)?|test(ing)?|sandbox|clone|copy|preview)([.-]|$)"
    r"|\.(test|local|localhost|invalid|example|ddev\.site|lndo\.site)$|^localhost$"
    r"|^(127|10|192\.168)\.[\d.]+$|\.(wpstagecoach|mystagingwebsite|kinsta|flywheelsites|instawp)\.",
    re.IGNORECASE,
)


def _host(facts: Facts) -> str:
    url = facts.shop.options.get("siteurl") or facts.shop.options.get("home") or ""
    return urlsplit(url).hostname or ""


@check("wordpress.E001", "Version of WordPress", "update WordPress to 6.0 or newer")
def version(facts: Facts) -> Verdict:
    found, about = facts.wp_version, ""
    stored = facts.shop.options.get("db_version", "")
    if not found and stored.isdigit():
        found = next((name for least, name in DB_VERSIONS if int(stored) >= least), "5.9 or older")
        about = "about "
    if not found:
        return Verdict(
            "error",
            f"no WordPress was found under the table prefix {facts.prefix!r}",
            "check [shop] table_prefix",
        )
    if numbers(found) < (6,):
        return Verdict("error", f"WordPress is {about}{found}; 6.0 is needed")
    return Verdict("ok", f"WordPress {about}{found}{' or newer' if about else ''}")


@check(
    "wordpress.W002",
    "PHP version and modules",
    "let the host switch the site to PHP 8.0 or newer with the modules curl and json",
    needs_database=False,
)
def php(facts: Facts) -> Verdict:
    if facts.php is None:
        return Verdict("info", "there is no php on the command line to ask", "see Tools → Site Health in wp-admin")
    lacking = [name for name in PHP_MODULES if name not in facts.php.modules]
    shown = f"the command line's PHP is {facts.php.version}"
    if numbers(facts.php.version) < (8, 0):
        return Verdict("warning", f"{shown}; FluentCRM and WooCommerce want 8.0 or newer")
    if lacking:
        return Verdict("warning", f"{shown}, without the module {' and '.join(lacking)}")
    return Verdict("ok", shown)


@check(
    "wordpress.W003",
    "Time zone of the site",
    "choose a city, not an offset, in Settings → General → Timezone: an offset knows no daylight saving time",
)
def zone(facts: Facts) -> Verdict:
    name = facts.shop.options.get("timezone_string", "")
    offset = facts.shop.options.get("gmt_offset", "") or "0"
    if name:
        return Verdict("ok", f"the site's time zone is {name}")
    if offset in ("0", "0.0"):
        return Verdict("info", "the site's time zone is UTC; is that where the shop is?")
    return Verdict("warning", f"the site's time zone is the fixed offset {offset} h")


@check("wordpress.W004", "Permalinks", "choose anything but “Plain” in Settings → Permalinks: REST needs it")
def permalinks(facts: Facts) -> Verdict:
    if not facts.shop.options.get("permalink_structure"):
        return Verdict("warning", "permalinks are “Plain”")
    return Verdict("ok", "permalinks are not “Plain”")


@check("wordpress.W005", "HTTPS", "get a certificate and set both addresses in Settings → General to https://")
def https(facts: Facts) -> Verdict:
    plain = [name for name in ("siteurl", "home") if facts.shop.options.get(name, "").startswith("http://")]
    if plain and STAGING.search(_host(facts)):
        return Verdict("info", f"the address ({' and '.join(plain)}) is not https, as on many test sites")
    if plain:
        return Verdict("warning", f"the site's address ({' and '.join(plain)}) is not https")
    return Verdict("ok", "the site's address is https")


@check(
    "wordpress.I006",
    "Copy of a shop",
    "if this is a copy, do not point it at the live state directory, and keep its e-mail switched off",
)
def staging(facts: Facts) -> Verdict:
    host = _host(facts)
    if STAGING.search(host):
        return Verdict("info", f"the address {host} looks like a test or staging site")
    return Verdict("ok", "the address looks like a live site")


@check(
    "wordpress.W007",
    "wp-config.php",
    "set what is computed in [shop] and [shop.database] of sidecar.toml",
    needs_database=False,
)
def wp_config(facts: Facts) -> Verdict:
    if facts.wp is None:
        if facts.wp_trouble:
            return Verdict("warning", facts.wp_trouble, "check [shop] wp_path and who may read that directory")
        return Verdict("info", "[shop] wp_path is not set, so wp-config.php was not looked at", "set it to learn more")
    if facts.wp.repeated:
        return Verdict(
            "warning",
            f"{facts.wp.file} defines {', '.join(facts.wp.repeated)} more than once; the first one is used",
            "if WordPress uses another one, set it in [shop.database]",
        )
    if facts.wp.computed:
        return Verdict("info", f"{facts.wp.file} computes {', '.join(facts.wp.computed)}")
    return Verdict("ok", f"{facts.wp.file} was read")


@check(
    "wordpress.W008",
    "Database drop-in",
    "find out which database that file uses, and set [shop.database] to the one with the orders",
    needs_database=False,
)
def dropin(facts: Facts) -> Verdict:
    if facts.wp and facts.wp.db_dropin:
        return Verdict("warning", f"{facts.wp.content_dir / 'db.php'} may send WordPress to another database")
    return Verdict("ok", "there is no database drop-in" if facts.wp else UNSEEN)


@check(
    "wordpress.I009",
    "WP-Cron",
    "make sure that a real cron job calls wp-cron.php every minute: FluentCRM sends its e-mail from there",
    needs_database=False,
)
def wp_cron(facts: Facts) -> Verdict:
    if facts.wp and facts.wp.disable_wp_cron:
        return Verdict("info", "WP-Cron by visitors is switched off (DISABLE_WP_CRON)")
    return Verdict("ok", "WP-Cron is not switched off" if facts.wp else UNSEEN)


@check(
    "wordpress.I010",
    "Multisite",
    "for another blog of the network set [shop] table_prefix to its own prefix, like wp_2_",
    needs_database=False,
)
def multisite(facts: Facts) -> Verdict:
    if facts.wp and facts.wp.multisite:
        return Verdict("info", f"this is a multisite; the tables with the prefix {facts.prefix} are used")
    return Verdict("ok", "this is not a multisite" if facts.wp else UNSEEN)
