"""The language server: it reads requests, asks in one thread of its own, and sends what comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from add_model import __version__
from add_model.copies.finding import Finding
from add_model.copies.language.syntax import prepare
from add_model.editor.completion import proposals
from add_model.editor.held import Held
from add_model.editor.hints import hint
from add_model.editor.libraries import Libraries
from add_model.editor.protocol import SOURCE, Words, path_of, uri_of
from add_model.editor.remedies import Remedy, remedies
from add_model.editor.renames import renamed, renamed_at
from add_model.editor.ways import copies_of, original_at, place_at, with_copies
from add_model.errors import AddModelError
from add_model.visible import visible

SHOW_COPIES = "add-model.showCopies"
# How long it waits for the next key before a text is judged.
_PAUSE_SECONDS = 0.05
# How many of the files that have a text for their original are judged before the next question is heard.
_AT_A_TIME = 8
_WATCHED = ("**/*.py", "**/pyproject.toml")

_Answer = TypeVar("_Answer")


class Server(LanguageServer):
    """A server with the libraries that its client has open; all that they are asked is asked in one thread, in order."""

    def __init__(self) -> None:
        super().__init__("add-model", __version__)
        self.libraries = Libraries()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="add-model")
        self._latest: dict[str, int] = {}
        self._said: set[str] = set()
        self._published: set[str] = set()

    @property
    def words(self) -> Words:
        """How positions are counted by this client."""
        return Words(self.workspace.position_codec)

    async def ask(self, question: Callable[..., _Answer], *arguments: Any) -> _Answer | None:
        """What a question comes to; what is wrong with the library itself is said once, and answers nothing."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._worker, question, *arguments)
        except AddModelError as error:
            self.say(str(error))
            return None

    def say(self, text: str) -> None:
        """Shows what is wrong, once."""
        if text not in self._said:
            self._said.add(text)
            self.window_show_message(types.ShowMessageParams(types.MessageType.Warning, f"add-model: {visible(text)}"))

    def held(self, uri: str) -> tuple[Held, str] | None:
        """The library that a document belongs to and its path in it; `None` for one of no library."""
        path = path_of(uri)
        held = self.libraries.around(path)[0] if path is not None else None
        return (held, path) if held is not None and path is not None and held.holds(path) else None

    async def put(self, uri: str, text: str, version: int) -> None:
        """Takes over what a document says by now, and judges it unless more comes."""
        path = path_of(uri)
        if path is None:
            return
        self._latest[path] = version

        def put() -> list[str]:
            self.libraries.documents.put(path, text)
            held, is_new = self.libraries.around(path)
            if held is None:
                return []
            held.changed()
            if is_new:
                return sorted(held.check_all())
            if held.holds(path) and self._latest.get(path) == version:
                held.check([path])
            return [path]

        await self.publish(await self.ask(put) or ())
        await asyncio.sleep(_PAUSE_SECONDS)
        users = await self.ask(self._users, path) or []
        # A few at a time, so that the next key does not wait for all of them.
        while users and self._latest.get(path) == version:
            some, users = users[:_AT_A_TIME], users[_AT_A_TIME:]
            await self.ask(self._check, path, some)
            await self.publish(some)

    def _users(self, path: str) -> list[str]:
        held = self.libraries.around(path)[0]
        return held.using(path) if held is not None else []

    def _check(self, path: str, others: Sequence[str]) -> None:
        held = self.libraries.around(path)[0]
        if held is not None:
            held.check(others)

    async def enter(self, path: str) -> None:
        """Checks the library around a folder, or says that there is none."""

        def enter() -> list[str]:
            held, is_new = self.libraries.around(path)
            if held is None:
                raise AddModelError(f"no library around {path}; open a folder that holds a package with marked copies")
            return sorted(held.check_all()) if is_new else []

        await self.publish(await self.ask(enter) or ())

    async def check_all(self) -> None:
        """Checks every library again, with its configuration as it is by now."""

        def check_all() -> list[str]:
            self.libraries.reread()
            return sorted({path for held in self.libraries.all() for path in held.check_all()})

        await self.publish(await self.ask(check_all) or ())

    async def publish(self, paths: Iterable[str]) -> None:
        """Sends what is wrong in these files."""
        words = self.words

        def found(path: str) -> list[types.Diagnostic]:
            held = self.libraries.around(path)[0]
            return _diagnostics(held, path, words) if held is not None else []

        for path in paths:
            diagnostics = await self.ask(found, path) or []
            # An empty list is news only where another one was sent.
            if diagnostics or path in self._published or path in self.libraries.documents:
                self._published.add(path)
                uri = uri_of(path)
                version = self._latest.get(path)
                self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, diagnostics, version))

    async def about(self, uri: str, question: Callable[[Held, str, Words], _Answer]) -> _Answer | None:
        """What is asked about a document; nothing for one of no library."""

        def ask() -> _Answer | None:
            found = self.held(uri)
            return question(*found, words) if found is not None else None

        words = self.words
        return await self.ask(ask)

    def forget(self, uri: str) -> None:
        """Takes note that a document was closed."""
        path = path_of(uri)
        if path is not None:
            self._latest.pop(path, None)
            self._worker.submit(self.libraries.documents.drop, path)


def _diagnostics(held: Held, path: str, words: Words) -> list[types.Diagnostic]:
    module = held.module(path)
    return [
        words.diagnostic(finding, module, original_at(held, path, finding.line - 1) if finding.source else None)
        for finding in held.findings(path)
    ]


def server() -> Server:
    """A server with all that it answers."""
    made = Server()
    _add_texts(made)
    _add_ways(made)
    _add_edits(made)
    return made


def _add_texts(server: Server) -> None:
    @server.feature(types.INITIALIZED)
    async def initialized(_: types.InitializedParams) -> None:
        folders = [path for folder in server.workspace.folders.values() if (path := path_of(folder.uri)) is not None]
        watching = (
            server.client_capabilities.workspace and server.client_capabilities.workspace.did_change_watched_files
        )
        if watching and watching.dynamic_registration:
            watchers = [types.FileSystemWatcher(pattern) for pattern in _WATCHED]
            options = types.DidChangeWatchedFilesRegistrationOptions(watchers)
            registration = types.Registration("watch", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
            server.client_register_capability(types.RegistrationParams([registration]), None)
        for path in folders:
            await server.enter(path)
        await server.ask(prepare)

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def opened(params: types.DidOpenTextDocumentParams) -> None:
        document = params.text_document
        await server.put(document.uri, document.text, document.version)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(params: types.DidChangeTextDocumentParams) -> None:
        uri = params.text_document.uri
        text = server.workspace.get_text_document(uri).source
        await server.put(uri, text, params.text_document.version)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def closed(params: types.DidCloseTextDocumentParams) -> None:
        server.forget(params.text_document.uri)
        await server.check_all()

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    async def saved(_: types.DidSaveTextDocumentParams) -> None:
        await server.check_all()

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    async def changed_on_disk(_: types.DidChangeWatchedFilesParams) -> None:
        await server.check_all()


def _add_ways(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hover(params: types.HoverParams) -> types.Hover | None:
        line = params.position.line
        text = await server.about(params.text_document.uri, lambda held, path, _: hint(held, path, line))
        return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, text)) if text else None

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    async def definition(params: types.DefinitionParams) -> types.Location | None:
        def find(held: Held, path: str, words: Words) -> types.Location | None:
            span = original_at(held, path, params.position.line)
            return words.location(span) if span is not None else None

        return await server.about(params.text_document.uri, find)

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    async def references(params: types.ReferenceParams) -> list[types.Location] | None:
        def find(held: Held, path: str, words: Words) -> list[types.Location]:
            place = place_at(held, path, params.position.line)
            return [words.location(span) for span in copies_of(held, place)] if place is not None else []

        return await server.about(params.text_document.uri, find)

    @server.feature(types.TEXT_DOCUMENT_CODE_LENS, types.CodeLensOptions(resolve_provider=False))
    async def lenses(params: types.CodeLensParams) -> list[types.CodeLens] | None:
        uri = params.text_document.uri

        def find(held: Held, path: str, words: Words) -> list[types.CodeLens]:
            return [
                types.CodeLens(
                    at := words.range(span),
                    types.Command(
                        "1 copy" if count == 1 else f"{count} copies", SHOW_COPIES, arguments=[uri, at.start.line]
                    ),
                )
                for span, count in with_copies(held, path)
            ]

        return await server.about(uri, find)

    @server.command(SHOW_COPIES)
    async def show_copies(uri: str, line: int) -> list[types.Location] | None:
        """Shows the copies of what a line defines: one in the editor, several by name; the client gets all of them."""

        def find(held: Held, path: str, words: Words) -> list[types.Location]:
            place = place_at(held, path, line)
            return [words.location(span) for span in copies_of(held, place)] if place is not None else []

        found = await server.about(uri, find) or []
        shows = server.client_capabilities.window and server.client_capabilities.window.show_document
        if len(found) == 1 and shows:
            shown = types.ShowDocumentParams(found[0].uri, selection=found[0].range, take_focus=True)
            await server.window_show_document_async(shown)
        return found


def _add_edits(server: Server) -> None:
    kinds = [types.CodeActionKind.QuickFix]

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(kinds, resolve_provider=True))
    async def actions(params: types.CodeActionParams) -> list[types.CodeAction] | None:
        uri, lines = params.text_document.uri, range(params.range.start.line + 1, params.range.end.line + 2)
        document = server.client_capabilities.text_document
        resolves = document is not None and document.code_action is not None and document.code_action.resolve_support

        def find(held: Held, path: str, words: Words) -> list[types.CodeAction]:
            found = []
            for finding in held.findings(path):
                module = held.module(path)
                if finding.line not in lines and not (finding.difference and finding.difference.line in lines):
                    continue
                diagnostic = words.diagnostic(finding, module, None)
                for remedy in remedies(held, path, finding):
                    action = _action(remedy, diagnostic, uri)
                    if not resolves:
                        action.edit = words.edit(remedy.edits())
                    found.append(action)
            return found

        return await server.about(uri, find)

    @server.feature(types.CODE_ACTION_RESOLVE)
    async def resolve(action: types.CodeAction) -> types.CodeAction:
        data: Any = action.data
        if not isinstance(data, dict) or not {"uri", "line", "code"} <= data.keys():
            raise JsonRpcInvalidParams("the action is none of this server's")

        def find(held: Held, path: str, words: Words) -> types.WorkspaceEdit | None:
            same = (each for each in held.findings(path) if _names(data, each))
            for finding in same:
                for remedy in remedies(held, path, finding):
                    if remedy.title == action.title:
                        return words.edit(remedy.edits())
            return None

        action.edit = await server.about(str(data["uri"]), find)
        return action

    @server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=[".", " ", ","]))
    async def completion(params: types.CompletionParams) -> list[types.CompletionItem] | None:
        def find(held: Held, path: str, words: Words) -> list[types.CompletionItem]:
            module = held.module(path)
            if module is None:
                return []
            column = words.column(module, params.position)
            return words.completions(proposals(held, path, params.position.line, column), params.position)

        return await server.about(params.text_document.uri, find)

    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    async def prepare_rename(params: types.PrepareRenameParams) -> types.Range | None:
        def find(held: Held, path: str, words: Words) -> types.Range | None:
            module = held.module(path)
            column = words.column(module, params.position) if module is not None else 0
            span = renamed_at(held, path, params.position.line, column)
            return words.range(span) if span is not None else None

        return await server.about(params.text_document.uri, find)

    @server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    async def rename(params: types.RenameParams) -> types.WorkspaceEdit | None:
        def find(held: Held, path: str, words: Words) -> types.WorkspaceEdit:
            module = held.module(path)
            column = words.column(module, params.position) if module is not None else 0
            try:
                return words.edit(renamed(held, path, params.position.line, column, params.new_name))
            except AddModelError as error:
                raise JsonRpcInvalidParams(str(error)) from error

        return await server.about(params.text_document.uri, find)


def _action(remedy: Remedy, diagnostic: types.Diagnostic, uri: str) -> types.CodeAction:
    finding = remedy.finding
    return types.CodeAction(
        remedy.title,
        kind=types.CodeActionKind.QuickFix,
        diagnostics=[diagnostic],
        is_preferred=remedy.is_preferred or None,
        data={"uri": uri, "line": finding.line, "code": finding.code.name, "source": SOURCE},
    )


def _names(data: dict[str, Any], finding: Finding) -> bool:
    return bool(data["line"] == finding.line and data["code"] == finding.code.name)
