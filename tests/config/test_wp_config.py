"""`wp-config.php` is read as PHP reads it, and never executed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar import php_source, wp_config
from sidecar.errors import ConfigError
from sidecar.php_source import COMPUTED

needs_php = pytest.mark.skipif(shutil.which("php") is None, reason="no php binary to compare with")

PLAIN = r"""<?php
/** The base configuration: define('DB_NAME', 'in a comment'); */
// define('DB_NAME', 'also in a comment');  ?>
# outside of PHP: define('DB_NAME', 'in HTML');
<?php
# define( 'DB_NAME', 'again' );
define( 'DB_NAME', 'shop' );
define("DB_USER", "us\x65r");
define('DB_PASSWORD', 'p\'a\\ss"$word\n#//');
\define ( 'DB_HOST' , 'localhost' . ':' . 3307 );
define('DB_CHARSET', 'utf8mb4');
define('MULTISITE', TRUE);
define('DISABLE_WP_CRON', 'true');
const CUSTOM_USER_TABLE = 'members';
define( 'CUSTOM_USER_META_TABLE', CUSTOM_USER_TABLE . "_meta" );
define('DB_COLLATE', ''); if (true) { define('DB_CHARSET', 'utf8'); }
define('MYSQL_CLIENT_FLAGS', MYSQLI_CLIENT_SSL);
if ( ! defined( 'DB_NAME' ) ) { define( 'DB_NAME', 'second' ); }
define('AUTH_KEY', <<<EOT
  define('DB_NAME', 'in a heredoc');
  EOT);
define('NONCE_KEY', <<<'X'
define('DB_USER', 'in a nowdoc');
X);
$table_prefix  = "wp" . '_';
define('WP_HOME', 'https://' . $_SERVER['HTTP_HOST']);
define('WP_SITEURL', getenv('SITE') ?: 'https://fallback.example');
if ( ! defined( 'ABSPATH' ) ) { define( 'ABSPATH', __DIR__ . '/' ); }
define('WP_CONTENT_DIR', dirname(__FILE__) . '/content');
require_once ABSPATH . 'wp-settings.php';
"""


def _site(root: Path, source: str | bytes) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    raw = source if isinstance(source, bytes) else source.encode()
    (root / "wp-config.php").write_bytes(raw)
    return root


def test_a_usual_file(tmp_path: Path) -> None:
    found = wp_config.read(_site(tmp_path, PLAIN), {"SITE": "https://shop.example"})
    assert found.db_name == "shop"
    assert found.db_user == "user"
    assert found.db_password == "p'a\\ss\"$word\\n#//"
    assert found.db_host == "localhost:3307"
    assert found.multisite
    assert found.disable_wp_cron
    assert (found.custom_user_table, found.custom_user_meta_table) == ("members", "members_meta")
    assert found.mysql_client_flags == 2048
    assert found.table_prefix == "wp_"
    assert found.wp_siteurl == "https://shop.example"
    assert found.computed == ("WP_HOME",)
    assert found.repeated == ("DB_CHARSET",)
    assert found.content_dir == tmp_path / "content"
    assert not found.db_dropin
    assert "p'a" not in repr(found)


@needs_php
def test_php_agrees_on_the_usual_file(tmp_path: Path) -> None:
    source = PLAIN.replace("require_once", "//").replace("$_SERVER['HTTP_HOST']", "'x'")
    names = ["DB_NAME", "DB_USER", "DB_PASSWORD", "DB_HOST", "WP_CONTENT_DIR"]
    source += f'\nforeach ({names} as $n) echo "\\0", constant($n);'
    file = _site(tmp_path, source) / "wp-config.php"
    said = subprocess.run(["php", "-d", "error_reporting=0", str(file)], capture_output=True, check=True).stdout
    found = php_source.settings(file.read_bytes(), {}, str(file)).constants
    assert [part.decode() for part in said.split(b"\0")[1:]] == [found[name] for name in names]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("getenv('SET')", "yes"),
        ("getenv('UNSET')", COMPUTED),
        ("$_ENV['SET']", "yes"),
        ("$_SERVER['SET'] ?? 'no'", "yes"),
        ("$_ENV['UNSET'] ?? 'fallback'", COMPUTED),
        ("getenv('EMPTY') ?: 'fallback'", COMPUTED),
        ("getenv_docker('SET', 'wordpress')", "yes"),
        ("getenv_docker('UNSET', 'wordpress')", COMPUTED),
        ("(string) getenv('SET')", "yes"),
        ("('text')", "text"),
        ("trim('text')", COMPUTED),
        ("'a' . trim('text') . 'b'", COMPUTED),
        ("$secret", COMPUTED),
        ('"a$b"', COMPUTED),
        ('"a{$b}"', COMPUTED),
        (r'"a\$b $ 5"', "a$b $ 5"),
        ("true ? 'a' : 'b'", COMPUTED),
        ("-1", -1),
        ("0x1F", 31),
        ("017", 15),
        ("1_000.5", 1000.5),
        ("null", None),
        ("'a' . 1 . true . false", "a11"),
        ("['a', 'b']", COMPUTED),
        ("$config['x']", COMPUTED),
        ("new Thing(array(1, 2), 'x')", COMPUTED),
    ],
)
def test_expressions(expression: str, value: php_source.Value) -> None:
    source = f"<?php define('X', {expression}); define('AFTER', 'here');".encode()
    found = php_source.settings(source, {"SET": "yes", "EMPTY": ""}).constants
    assert found["AFTER"] == "here"
    assert found["X"] == value
    assert type(found["X"]) is type(value)


@needs_php
@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("'\""),
            st.text(st.sampled_from("\\'\"$ abnrtvefux{}017Fé؟#/*?>\n.;)")),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_escapes_are_phps(parts: list[tuple[str, str]]) -> None:
    literals = []
    for quote, text in parts:
        # Make it a literal: no bare quote of its own kind, no `\` at the end, nothing that interpolates.
        inner = text.replace(quote, "").replace("$", "\\$" if quote == '"' else "$")
        inner = inner.replace("\\u{", "u{").rstrip("\\")
        literals.append(f"{quote}{inner}{quote}")
    defines = "".join(f"define('X{at}', {literal});\n" for at, literal in enumerate(literals))
    show = "".join(f"echo bin2hex(X{at}), ',';" for at in range(len(literals)))
    run = subprocess.run(["php"], input=f"<?php\n{defines}{show}".encode(), capture_output=True, check=False)
    found = php_source.settings(f"<?php\n{defines}".encode(), {}).constants
    if b"Parse error" in run.stdout or b"rror:" in run.stdout:
        return
    said = [bytes.fromhex(part.decode()) for part in run.stdout.split(b",")[:-1]]
    for at, expected in enumerate(said):
        value = found[f"X{at}"]
        if value is COMPUTED:
            assert "$" in literals[at]
            continue
        assert str(value).encode("utf-8", "surrogateescape") == expected, literals[at]


def test_unicode_escapes_and_bytes_that_are_not_utf8() -> None:
    source = b"<?php define('A', \"\\u{1F600}\\xC3\\xA9\\351\"); define('B', '\xe9');"
    found = php_source.settings(source, {}).constants
    assert found["A"] == "\U0001f600é\udce9"
    assert found["B"] == "\udce9"


@pytest.mark.parametrize("cut", range(0, len(PLAIN), 7))
def test_a_file_cut_anywhere_does_not_break_the_reader(cut: int) -> None:
    php_source.settings(PLAIN[:cut].encode(), {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("localhost", ("localhost", 0, "")),
        ("db.example:3307", ("db.example", 3307, "")),
        ("localhost:/var/run/m.sock", ("localhost", 0, "/var/run/m.sock")),
        (":/var/run/m.sock", ("", 0, "/var/run/m.sock")),
        ("localhost:3306:/tmp/a:/b.sock", ("localhost", 3306, "/tmp/a:/b.sock")),
        ("[::1]:3307", ("::1", 3307, "")),
        ("[::1]", ("::1", 0, "")),
        ("2001:db8::5", ("2001:db8::5", 0, "")),
        ("127.0.0.1:", ("127.0.0.1", 0, "")),
        ("", ("", 0, "")),
    ],
)
def test_db_host(text: str, expected: tuple[str, int, str]) -> None:
    assert wp_config.parse_db_host(text) == expected


def test_db_host_that_wordpress_refuses() -> None:
    with pytest.raises(ConfigError, match="DB_HOST"):
        wp_config.parse_db_host("x:y:z")


def test_one_directory_up_only_when_that_is_no_wordpress(tmp_path: Path) -> None:
    _site(tmp_path, "<?php define('DB_NAME', 'up');")
    inner = tmp_path / "wp"
    inner.mkdir()
    assert wp_config.read(inner, {}).db_name == "up"
    (tmp_path / "wp-settings.php").touch()
    with pytest.raises(ConfigError, match=r"no wp-config\.php"):
        wp_config.read(inner, {})
    with pytest.raises(ConfigError, match="no directory"):
        wp_config.read(tmp_path / "nowhere", {})


def test_bedrock_keeps_its_values_in_dotenv(tmp_path: Path) -> None:
    web = _site(
        tmp_path / "web",
        "<?php require_once dirname(__DIR__) . '/config/application.php';",
    )
    (web / "wp").mkdir()
    (tmp_path / ".env").write_text(
        "# DB_NAME='no'\nDB_NAME='bed'\nDB_USER=rock\nexport DB_PASSWORD=\"a\\\"b #c\"\nWP_HOME=https://x.example # c\n"
    )
    found = wp_config.read(web / "wp", {})
    assert (found.db_name, found.db_user, found.db_password) == ("bed", "rock", 'a"b #c')
    assert found.wp_home == "https://x.example"
    assert found.table_prefix == "wp_"


def test_the_drop_in_is_seen(tmp_path: Path) -> None:
    _site(tmp_path, PLAIN)
    (tmp_path / "content").mkdir()
    (tmp_path / "content" / "db.php").touch()
    assert wp_config.read(tmp_path, {}).db_dropin
