"""The bridge's PHP unit tests (tests/bridge/php/run.php), and that every file of it is PHP that old hosts understand."""

from __future__ import annotations

import hashlib
import hmac
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from support import ROOT

VECTORS = ROOT / "tests" / "vectors"
SECRET = "5e" * 32

needs_php = pytest.mark.skipif(shutil.which("php") is None, reason="there is no php")


def test_php_has_multibyte_strings() -> None:
    """Without it the vectors outside ASCII would prove nothing."""
    if shutil.which("php") is None:
        pytest.skip("there is no php")
    done = subprocess.run(["php", "-m"], capture_output=True, text=True, check=True, timeout=30)
    assert "mbstring" in done.stdout.split(), "apt-get install php-mbstring"


def made_here(folder: Path) -> Path:
    """Vectors by the contract's recipe, where the shared file is not there."""
    requests = []
    for method, target, body in (
        ("GET", "/x", ""),
        ("POST", "/fluentcrm-sidecar/v1/contacts?a=%D9%82&b=1", '{"n":"Zoë"}'),
    ):
        said = {
            "method": method,
            "target": target,
            "timestamp": "1793534400",
            "nonce": "0a" * 16,
            "actor": "-",
            "body": body,
        }
        canonical = "\n".join(("FCSC1", *list(said.values())[:5], hashlib.sha256(body.encode()).hexdigest()))
        requests.append({**said, "secret": SECRET, "canonical": canonical, "signature": _mac(canonical)})
    text = f"FCSC1R\n200\n{'0a' * 16}\n{hashlib.sha256(b'{}').hexdigest()}"
    answer = {
        "response": True,
        "status": 200,
        "nonce": "0a" * 16,
        "body": "{}",
        "secret": SECRET,
        "signature": _mac(text),
    }
    (folder / "signatures.json").write_text(json.dumps([*requests, answer]), "utf-8")
    return folder


def _mac(text: str) -> str:
    return hmac.new(bytes.fromhex(SECRET), text.encode(), "sha256").hexdigest()


@needs_php
def test_php_unit_tests(tmp_path: Path) -> None:
    folder = VECTORS if (VECTORS / "signatures.json").exists() else made_here(tmp_path)
    done = subprocess.run(
        ["php", str(ROOT / "tests/bridge/php/run.php"), str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0, "\n".join(line for line in lines if not line.startswith("ok"))
    assert lines[0] == f"1..{sum(line.startswith('ok') for line in lines)}"


@needs_php
@pytest.mark.parametrize("path", sorted((ROOT / "wp-bridge").rglob("*.php")), ids=lambda path: path.name)
def test_a_file_opened_directly_does_nothing(path: Path) -> None:
    """On a host that serves the plugin's folder."""
    done = subprocess.run(["php", str(path)], capture_output=True, text=True, check=False, timeout=30)
    assert (done.stdout, done.stderr) == ("", "")
