"""A small library with copies in it, and a client that speaks to the server by the protocol."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient

ORIGINAL = '''
class BertLayer:
    """A layer."""

    def __init__(self, size):
        self.size = size

    def forward(self, states):
        return BertNorm(states) * self.size


class BertPooler:
    def forward(self, states):
        return states[0]
'''
COPY = '''
# Copied from brand.models.bert.BertLayer with Bert->Roberta
class RobertaLayer:
    """A layer."""

    def __init__(self, size):
        self.size = size

    def forward(self, states):
        return RobertaNorm(states) * self.size
'''
OTHER_COPY = COPY.replace("Roberta", "Albert")


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """The root of a library with an original and two copies of it."""
    root = tmp_path / "repository"
    files = {
        "pyproject.toml": '[tool.add-model]\npackage = "brand"\n',
        "brand/__init__.py": "",
        "brand/models/__init__.py": "",
        "brand/models/bert.py": ORIGINAL,
        "brand/models/roberta.py": COPY,
        "brand/models/albert.py": OTHER_COPY,
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def capabilities() -> types.ClientCapabilities:
    """Those of an editor that can do what most can."""
    return types.ClientCapabilities(
        text_document=types.TextDocumentClientCapabilities(
            publish_diagnostics=types.PublishDiagnosticsClientCapabilities(related_information=True),
            code_action=types.CodeActionClientCapabilities(
                resolve_support=types.ClientCodeActionResolveOptions(properties=["edit"])
            ),
        ),
        window=types.WindowClientCapabilities(show_document=types.ShowDocumentClientCapabilities(support=True)),
    )


class Editor:
    """An editor with a folder open."""

    def __init__(self, client: LanguageClient, root: Path) -> None:
        self.client, self.root = client, root
        self._versions: dict[str, int] = {}

    def uri(self, name: str) -> str:
        return (self.root / name).as_uri()

    async def start(self, folder: Path | None = None) -> None:
        uri = (folder or self.root).as_uri()
        await self.client.initialize_session(
            types.InitializeParams(
                capabilities=capabilities(), workspace_folders=[types.WorkspaceFolder(uri, "repository")]
            )
        )

    async def open(self, name: str, text: str | None = None) -> list[types.Diagnostic]:
        uri = self.uri(name)
        text = (self.root / name).read_text() if text is None else text
        self._versions[uri] = 1
        self.client.text_document_did_open(
            types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, types.LanguageKind.Python, 1, text))
        )
        return await self.published(uri)

    async def type(self, name: str, text: str) -> list[types.Diagnostic]:
        uri = self.uri(name)
        self._versions[uri] += 1
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(version=self._versions[uri], uri=uri),
                [types.TextDocumentContentChangeWholeDocument(text)],
            )
        )
        return await self.published(uri)

    async def published(self, uri: str) -> list[types.Diagnostic]:
        """What is published next of a document, by its present version if it is open."""
        while True:
            params = await self.client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
            if params.uri == uri and params.version == self._versions.get(uri):
                return list(params.diagnostics)

    def document(self, name: str) -> types.TextDocumentIdentifier:
        return types.TextDocumentIdentifier(self.uri(name))

    async def actions(self, name: str, diagnostic: types.Diagnostic) -> dict[str, types.CodeAction]:
        found = await self.client.text_document_code_action_async(
            types.CodeActionParams(self.document(name), diagnostic.range, types.CodeActionContext([diagnostic]))
        )
        return {each.title: each for each in found or () if isinstance(each, types.CodeAction)}

    async def applied(self, action: types.CodeAction, texts: dict[str, str]) -> dict[str, str]:
        """These texts, by their names, with the edits of an action made."""
        action = await self.client.code_action_resolve_async(action)
        assert action.edit is not None
        return self.edited(action.edit, texts)

    def edited(self, edit: types.WorkspaceEdit, texts: dict[str, str]) -> dict[str, str]:
        assert edit.changes is not None
        assert set(edit.changes) <= {self.uri(name) for name in texts}
        return {name: edited(text, edit.changes.get(self.uri(name), ())) for name, text in texts.items()}


def edited(text: str, edits: object) -> str:
    """A text with edits made, as an editor makes them."""
    lines = text.splitlines(keepends=True)

    def offset(position: types.Position) -> int:
        before = lines[: position.line]
        line = lines[position.line] if position.line < len(lines) else ""
        units = line.encode("utf-16-le")[: 2 * position.character]
        return sum(map(len, before)) + len(units.decode("utf-16-le"))

    for each in sorted(edits, key=lambda each: -offset(each.range.start)):  # type: ignore[call-overload]
        text = text[: offset(each.range.start)] + each.new_text + text[offset(each.range.end) :]
    return text


@pytest_lsp.fixture(config=ClientServerConfig(server_command=[sys.executable, "-m", "add_model", "lsp"]))
async def client(lsp_client: LanguageClient) -> AsyncIterator[None]:
    """A client whose server has been started, and is ended behind the test."""
    yield
    await lsp_client.shutdown_session()


@pytest.fixture
def editor(client: LanguageClient, library: Path) -> Editor:
    """An editor that has not said anything yet."""
    return Editor(client, library)
