"""For cPanel's "Setup Python App" (Passenger): put this file into the application's root, and name it there as the
startup file, with `application` as the entry point. docs/service.md says the rest.
"""

import os
from pathlib import Path

# The configuration, outside the web root; only your account may read it.
os.environ.setdefault("SIDECAR_CONFIG", str(Path("~/fluentcrm-sidecar/sidecar.toml").expanduser()))

from sidecar.web.wsgi import make

application = make()
