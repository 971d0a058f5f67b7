"""The WSGI application for a server that is not ours (Passenger on cPanel, gunicorn): `application`.

It answers pages and API calls; the shop is followed by `sidecar tick` from cron. See config/passenger_wsgi.py.
"""

from __future__ import annotations

from flask import Flask

from sidecar.mysql import driver

driver.light()  # before anything else brings PyMySQL

from sidecar import config_file, logs  # noqa: E402
from sidecar.runtime import build  # noqa: E402
from sidecar.web.app import create_app  # noqa: E402


def make(config_path: str | None = None) -> Flask:
    """The application of a configuration, found as the command line finds it. Raises ConfigError."""
    config = config_file.load(config_path)
    logs.setup(config.log.level, config.log.format)
    return create_app(build(config))
