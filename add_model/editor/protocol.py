"""What was found, in the words of the Language Server Protocol: positions in the client's units, diagnostics, edits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lsprotocol import types
from pygls import uris
from pygls.workspace import PositionCodec

from add_model.copies.finding import Finding, Severity
from add_model.copies.fixing.edits import Edit
from add_model.editor.completion import Proposal
from add_model.editor.held import offset_of
from add_model.editor.ways import Span
from add_model.source import Module
from add_model.visible import visible

SOURCE = "add-model"
_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
}
_KINDS = {
    "package": types.CompletionItemKind.Folder,
    "module": types.CompletionItemKind.Module,
    "class": types.CompletionItemKind.Class,
    "function": types.CompletionItemKind.Function,
    "replacement": types.CompletionItemKind.Text,
}


class Words:
    """Turns what was found into what a client reads."""

    def __init__(self, codec: PositionCodec) -> None:
        self._codec = codec

    def position(self, module: Module, offset: int) -> types.Position:
        """Where an offset of a module's text is."""
        offset = min(offset, len(module.text))
        start = module.text.rfind("\n", 0, offset) + 1
        units = self._codec.client_num_units(module.text[start:offset])
        return types.Position(module.line_of(offset) - 1, units)

    def column(self, module: Module, position: types.Position) -> int:
        """The column of a position in characters, counted from 0."""
        start = offset_of(module.text, position.line)
        end = module.text.find("\n", start)
        line = module.text[start : end if end >= 0 else None]
        units = 0
        for column, character in enumerate(line):
            if units >= position.character:
                return column
            units += self._codec.client_num_units(character)
        return len(line)

    def range(self, span: Span) -> types.Range:
        """From where to where a part of a module's text goes."""
        return types.Range(self.position(span.module, span.start), self.position(span.module, span.end))

    def location(self, span: Span) -> types.Location:
        """The same, with the file that it is in."""
        return types.Location(uri_of(span.module.place), self.range(span))

    def diagnostic(self, finding: Finding, module: Module | None, original: Span | None) -> types.Diagnostic:
        """A finding, at its line, with the place of the original beside it."""
        message = visible(finding.message)
        if finding.difference is not None:
            wanted, found = (visible(line) if line is not None else "nothing" for line in finding.difference[1:])
            message = f"{message}\n  expected: {wanted}\n  found:    {found}"
        related = None
        if original is not None:
            related = [types.DiagnosticRelatedInformation(self.location(original), "the original")]
        return types.Diagnostic(
            range=self._line(module, finding.line),
            message=message,
            severity=_SEVERITIES[finding.severity],
            code=finding.code.name,
            code_description=types.CodeDescription(finding.code.page),
            source=SOURCE,
            related_information=related,
        )

    def _line(self, module: Module | None, line: int) -> types.Range:
        if module is None:
            return types.Range(types.Position(0, 0), types.Position(0, 0))
        start = offset_of(module.text, line - 1)
        end = module.text.find("\n", start)
        text = module.text[start : end if end >= 0 else None]
        return self.range(Span(module, start + len(text) - len(text.lstrip()), start + len(text)))

    def edit(self, edits: Mapping[Module, Sequence[Edit]]) -> types.WorkspaceEdit:
        """Edits of several texts."""
        return types.WorkspaceEdit(
            changes={
                uri_of(module.place): [
                    types.TextEdit(self.range(Span(module, each.start, each.end)), each.text)
                    for each in sorted(some, key=lambda each: each.start)
                ]
                for module, some in edits.items()
            }
        )

    @staticmethod
    def completions(proposals: Iterable[Proposal], position: types.Position) -> list[types.CompletionItem]:
        """What may be written next, in place of what of it stands there."""
        return [
            types.CompletionItem(
                label=proposal.text,
                kind=_KINDS[proposal.kind],
                sort_text=f"{number:05}",
                text_edit=types.TextEdit(
                    types.Range(types.Position(position.line, max(0, position.character - proposal.typed)), position),
                    proposal.text,
                ),
            )
            for number, proposal in enumerate(proposals)
        ]


def uri_of(path: str) -> str:
    """The address of a file."""
    return str(uris.from_fs_path(path))


def path_of(uri: str) -> str | None:
    """The file at an address; `None` for what is no file, such as a document that was never saved."""
    return uris.to_fs_path(uri) if uri.startswith("file:") else None
