"""The command line: `sidecar`. A command's module is imported only when that command is called.

Start reading at `COMMANDS`. A command takes `@pass_run` (context.py) and prints with `run.output`
(output.py); it may import every package.
"""

from __future__ import annotations

from sidecar.cli.lazy import Root

COMMANDS = {
    "demo": ("sidecar.cli.demo:demo", "Look around with an invented shop on a private database."),
    "init": ("sidecar.cli.init:init", "Write sidecar.toml from a WordPress directory."),
    "doctor": ("sidecar.cli.doctor:doctor", "Check the shop, the CRM and this host; say what to mend."),
    "sync": ("sidecar.cli.sync:sync", "Bring the shop's customers into FluentCRM."),
    "tick": ("sidecar.cli.tick:tick", "One pass of the running sidecar, for cron."),
    "events": ("sidecar.cli.events:events", "What happened in the shop, and what became of it."),
    "site": ("sidecar.cli.site:site", "Which site this is, and whether it is on hold."),
    "privacy": ("sidecar.cli.privacy:privacy", "Erase people on request, so that they stay erased."),
    "alerts": ("sidecar.cli.alerts:alerts", "What is wrong now, and whether alerts arrive."),
    "mapping": ("sidecar.cli.mapping:mapping", "Check, explain and try the mapping rules."),
    "segments": ("sidecar.cli.segments:segments", "Groups that rule themselves: see, try, explain, refresh, export."),
    "automations": (
        "sidecar.cli.automations:automations",
        "Messages that go out by themselves: try, switch, and see what they earn.",
    ),
    "channels": ("sidecar.cli.channels:channels", "By which ways automations send, and whether they work."),
    "hygiene": (
        "sidecar.cli.hygiene:hygiene",
        "Report doubtful contacts: duplicates, test orders, bad data.",
    ),
    "pair": ("sidecar.cli.pair:pair", "Pair the sidecar with the plugin in WordPress."),
    "serve": ("sidecar.cli.serve:serve", "Run the service: pages, API, and the shop followed within seconds."),
    "config": ("sidecar.cli.config:config", "Show and check the configuration."),
}

cli = Root(name="sidecar", commands_at=COMMANDS)


def main() -> None:
    """The console script."""
    cli.main(prog_name="sidecar")
