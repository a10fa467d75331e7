"""How long an editor waits for the findings of what is typed.

    python benchmarks/editor.py ROOT FILE [--keys N]

ROOT holds a library, FILE is a module of it. A real server is started and spoken to by the protocol; a character is typed at
the end of a line inside a copied block and taken away again, N times, and what passes until the findings arrive is printed:
the median, the slowest, and beside it how long one plain read of the file takes, and the check of the whole tree at the start.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from pathlib import Path

from lsprotocol import types
from pygls.lsp.client import LanguageClient


class Client(LanguageClient):
    """A client that waits for the findings of one document."""

    def __init__(self) -> None:
        super().__init__("benchmark", "1")
        self.arrived: dict[tuple[str, int | None], asyncio.Event] = {}
        self.counts: dict[str, int] = {}

        @self.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def published(params: types.PublishDiagnosticsParams) -> None:
            self.counts[params.uri] = len(params.diagnostics)
            self.arrived.setdefault((params.uri, params.version), asyncio.Event()).set()

    async def wait(self, uri: str, version: int) -> None:
        """Waits until the findings of a version of a document are there."""
        await self.arrived.setdefault((uri, version), asyncio.Event()).wait()


async def measure(root: Path, file: Path, keys: int) -> None:
    """Starts a server, types, and prints what it took."""
    client = Client()
    await client.start_io(sys.executable, "-m", "add_model", "lsp")
    await client.initialize_async(
        types.InitializeParams(
            types.ClientCapabilities(), workspace_folders=[types.WorkspaceFolder(root.as_uri(), root.name)]
        )
    )
    client.initialized(types.InitializedParams())
    text, uri = file.read_text(), file.as_uri()
    started = time.perf_counter()
    document = types.TextDocumentItem(uri, types.LanguageKind.Python, 1, text)
    client.text_document_did_open(types.DidOpenTextDocumentParams(document))
    await client.wait(uri, 1)
    first = time.perf_counter() - started
    # Nobody types before he has seen the file.
    await asyncio.sleep(2)
    lines = text.splitlines(keepends=True)
    marker = next(number for number, line in enumerate(lines) if "# Copied from" in line)
    at = next(number for number in range(marker + 3, len(lines)) if lines[number].strip())
    waits, version, found = [], 1, set()
    for key in range(keys):
        version += 1
        column = len(lines[at]) - 1
        end = types.Position(at, column if key % 2 == 0 else column + 1)
        change = types.TextDocumentContentChangePartial(
            range=types.Range(types.Position(at, column), end), text="x" if key % 2 == 0 else ""
        )
        params = types.DidChangeTextDocumentParams(types.VersionedTextDocumentIdentifier(version, uri), [change])
        started = time.perf_counter()
        client.text_document_did_change(params)
        await client.wait(uri, version)
        waits.append(time.perf_counter() - started)
        found.add(client.counts[uri])
        await asyncio.sleep(0.2)
    started = time.perf_counter()
    file.read_bytes().decode()
    reading = time.perf_counter() - started
    print(
        f"{len(lines)} lines, {text.count('# Copied from')} markers; findings before and behind a key: {sorted(found)}"
    )
    print(f"the whole tree at the start       {first:8.3f} s")
    print(
        f"from a key to its findings, median{1000 * statistics.median(waits):8.1f} ms, slowest {1000 * max(waits):.1f} ms"
    )
    print(f"one plain read of the file        {1000 * reading:8.1f} ms")
    await client.shutdown_async(None)
    client.exit(None)
    await client.stop()


def main() -> None:
    """Reads the arguments and measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--keys", type=int, default=40)
    arguments = parser.parse_args()
    asyncio.run(measure(arguments.root.resolve(), arguments.file.resolve(), arguments.keys))


if __name__ == "__main__":
    main()
