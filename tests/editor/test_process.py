"""The server as a process: what clients may do that none should, and what the command says where it cannot start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SERVER = [sys.executable, "-m", "add_model", "lsp"]


def test_a_client_that_goes_away_takes_the_server_with_it(tmp_path: Path) -> None:
    result = subprocess.run(SERVER, input=b"", capture_output=True, cwd=tmp_path, timeout=60)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")


def test_half_a_message_is_said_to_be_one(tmp_path: Path) -> None:
    half = b'Content-Length: 400\r\n\r\n{"jsonrpc": "2.0", "id": 1, '
    result = subprocess.run(SERVER, input=half, capture_output=True, cwd=tmp_path, timeout=60)
    assert result.returncode == 0 and b"window/showMessage" in result.stdout


def test_what_it_needs_is_named_where_it_is_not_installed(tmp_path: Path) -> None:
    without = (
        "import sys; sys.modules['pygls'] = None; sys.argv[1:] = ['lsp']; from add_model.cli import script; script()"
    )
    result = subprocess.run([sys.executable, "-c", without], capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1 and "pip install 'pygls" in result.stderr


def test_it_speaks_in_one_way(tmp_path: Path) -> None:
    result = subprocess.run([*SERVER, "--stdio", "--tcp", "8764"], capture_output=True, text=True, cwd=tmp_path)
    assert result.returncode == 2 and "leave one of them out" in result.stderr
