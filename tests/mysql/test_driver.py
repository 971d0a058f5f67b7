"""The service does without the library that PyMySQL needs for one way to log in, until a server asks for it."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
from sidecar.mysql import driver
driver.light()
assert "pymysql" in sys.modules and "cryptography" not in sys.modules
{imports}
assert not [name for name in sys.modules if name.startswith("cryptography")], "something else loads it"
import pymysql
from sidecar.config import Database
from sidecar.mysql import connection
real = pymysql._auth.sha2_rsa_encrypt
asked = []
class Server:
    def get_server_info(self): return "8.0.36"
    def cursor(self): raise pymysql.err.OperationalError(2013, "enough")
def connect(**how):
    asked.append(pymysql._auth._have_cryptography)
    if not asked[-1]:
        pymysql._auth.sha2_rsa_encrypt(b"x", b"y", b"")  # what PyMySQL does then
    return Server()
pymysql.connect = connect
try:
    connection.open_connection(Database(name="x", unix_socket="/nowhere"))
except Exception as error:
    assert "enough" in str(error), error
assert asked == [False, True], asked
assert "cryptography" in sys.modules
"""


def test_the_service_loads_it_only_when_a_server_asks() -> None:
    code = CODE.format(imports="import sidecar.serve, sidecar.web.wsgi, sidecar.tasks")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
