"""What an editor gets, asked for over the protocol as editors do."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types

from .conftest import COPY, ORIGINAL, OTHER_COPY, Editor

DRIFTED = COPY.replace("* self.size", "+ self.size")
BERT, ROBERTA, ALBERT = "brand/models/bert.py", "brand/models/roberta.py", "brand/models/albert.py"


@pytest.mark.asyncio
async def test_what_is_typed_is_judged_and_the_original_is_named(editor: Editor) -> None:
    await editor.start()
    assert await editor.open(ROBERTA) == []
    (found,) = await editor.type(ROBERTA, DRIFTED)
    assert found.code == "CP001" and found.source == "add-model" and found.severity == types.DiagnosticSeverity.Error
    assert found.range.start == types.Position(1, 0)
    assert "expected: return RobertaNorm(states) * self.size" in found.message
    assert found.related_information is not None
    assert found.related_information[0].location.uri == editor.uri(BERT)
    assert found.related_information[0].location.range.start == types.Position(1, 0)
    assert found.code_description is not None and found.code_description.href.endswith("CP001.md")
    assert await editor.type(ROBERTA, COPY) == []
    assert (editor.root / ROBERTA).read_text() == COPY


@pytest.mark.asyncio
async def test_an_edit_of_an_original_shows_at_its_copies(editor: Editor) -> None:
    await editor.start()
    await editor.open(BERT)
    editor.client.diagnostics.clear()
    await editor.type(BERT, ORIGINAL.replace("* self.size", "- self.size"))
    for name in (ROBERTA, ALBERT):
        while not editor.client.diagnostics.get(editor.uri(name)):
            await editor.client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        (found,) = editor.client.diagnostics[editor.uri(name)]
        assert found.code == "CP001"


@pytest.mark.asyncio
async def test_files_that_are_not_open_are_reported_from_the_start(editor: Editor) -> None:
    (editor.root / ALBERT).write_text(OTHER_COPY.replace("A layer", "Another layer"))
    await editor.start()
    (found,) = await editor.published(editor.uri(ALBERT))
    assert found.code == "CP001"


@pytest.mark.asyncio
async def test_pointing_at_a_marker_shows_what_differs(editor: Editor) -> None:
    await editor.start()
    await editor.open(ROBERTA)
    at = types.HoverParams(editor.document(ROBERTA), types.Position(1, 4))
    hover = await editor.client.text_document_hover_async(at)
    assert hover is not None and isinstance(hover.contents, types.MarkupContent)
    assert hover.contents.value == "`BertLayer` in brand/models/bert.py, line 2: this is its copy."
    await editor.type(ROBERTA, DRIFTED)
    hover = await editor.client.text_document_hover_async(at)
    assert hover is not None and isinstance(hover.contents, types.MarkupContent)
    assert "-        return RobertaNorm(states) * self.size\n" in hover.contents.value
    assert "+        return RobertaNorm(states) + self.size\n" in hover.contents.value
    elsewhere = types.HoverParams(editor.document(ROBERTA), types.Position(5, 4))
    assert await editor.client.text_document_hover_async(elsewhere) is None


@pytest.mark.asyncio
async def test_one_goes_to_the_original_and_from_there_to_all_copies(editor: Editor) -> None:
    await editor.start()
    await editor.open(ROBERTA)
    at = types.DefinitionParams(editor.document(ROBERTA), types.Position(1, 20))
    found = await editor.client.text_document_definition_async(at)
    assert isinstance(found, types.Location)
    assert (found.uri, found.range.start) == (editor.uri(BERT), types.Position(1, 0))
    references = types.ReferenceParams(types.ReferenceContext(False), editor.document(BERT), types.Position(8, 10))
    copies = await editor.client.text_document_references_async(references)
    assert [(each.uri, each.range.start.line) for each in copies or ()] == [
        (editor.uri(ALBERT), 1),
        (editor.uri(ROBERTA), 1),
    ]
    lenses = await editor.client.text_document_code_lens_async(types.CodeLensParams(editor.document(BERT)))
    assert [(each.range.start.line, each.command and each.command.title) for each in lenses or ()] == [(1, "2 copies")]


@pytest.mark.asyncio
async def test_a_copy_takes_the_originals_text(editor: Editor) -> None:
    await editor.start()
    await editor.open(ROBERTA)
    (found,) = await editor.type(ROBERTA, DRIFTED)
    actions = await editor.actions(ROBERTA, found)
    texts = await editor.applied(actions["Take the original's text"], {ROBERTA: DRIFTED})
    assert texts == {ROBERTA: COPY}


@pytest.mark.asyncio
async def test_an_edit_is_carried_to_the_original_and_its_other_copies(editor: Editor) -> None:
    await editor.start()
    await editor.open(ROBERTA)
    (found,) = await editor.type(ROBERTA, DRIFTED)
    actions = await editor.actions(ROBERTA, found)
    texts = {BERT: ORIGINAL, ROBERTA: DRIFTED, ALBERT: OTHER_COPY}
    after = await editor.applied(actions["Carry this edit to BertLayer and its 1 other copy"], texts)
    assert after == {
        BERT: ORIGINAL.replace("* self.size", "+ self.size"),
        ROBERTA: DRIFTED,
        ALBERT: OTHER_COPY.replace("* self.size", "+ self.size"),
    }


@pytest.mark.asyncio
async def test_a_method_is_marked_and_the_finding_is_gone(editor: Editor) -> None:
    await editor.start()
    await editor.open(ROBERTA)
    (found,) = await editor.type(ROBERTA, DRIFTED)
    actions = await editor.actions(ROBERTA, found)
    texts = await editor.applied(actions["Mark forward `# Ignore copy`"], {ROBERTA: DRIFTED})
    assert "    # Ignore copy\n    def forward(" in texts[ROBERTA]
    assert await editor.type(ROBERTA, texts[ROBERTA]) == []


@pytest.mark.asyncio
async def test_a_misspelt_path_is_mended(editor: Editor) -> None:
    await editor.start()
    await editor.open(ROBERTA)
    misspelt = COPY.replace("bert.BertLayer", "bert.BertLayr")
    (found,) = await editor.type(ROBERTA, misspelt)
    assert found.code == "CP002"
    actions = await editor.actions(ROBERTA, found)
    after = await editor.applied(actions["Name `brand.models.bert.BertLayer`"], {ROBERTA: misspelt})
    assert after == {ROBERTA: COPY}


@pytest.mark.asyncio
async def test_a_marker_that_says_less_than_it_means_is_written_anew(editor: Editor) -> None:
    await editor.start()
    await editor.open(ROBERTA)
    wrapped = COPY.replace(" with Bert", " with\n# Bert")
    found = await editor.type(ROBERTA, wrapped)
    actions = await editor.actions(ROBERTA, found[0])
    title = "Write `# Copied from brand.models.bert.BertLayer with Bert->Roberta`"
    assert await editor.applied(actions[title], {ROBERTA: wrapped}) == {ROBERTA: COPY}


PROPOSED = {
    "# Copied from ": ["brand"],
    "# Copied from brand.models.": ["albert", "bert", "roberta"],
    "# Copied from brand.models.bert.BertL": ["BertLayer"],
    "# Copied from brand.models.bert.BertPooler.": ["forward"],
    "# Copied from brand.models.bert.BertLayer ": ["with Bert->Roberta"],
    "# Copied from brand.models.bert.BertLayer with Bert": ["Bert->Roberta"],
    "x = brand.": [],
}


@pytest.mark.asyncio
async def test_what_may_be_written_next_is_proposed(editor: Editor) -> None:
    await editor.start()
    await editor.open(ROBERTA, "")
    for line, proposed in PROPOSED.items():
        await editor.type(ROBERTA, f"\n{line}\nclass RobertaLayer:\n    pass\n")
        params = types.CompletionParams(editor.document(ROBERTA), types.Position(1, len(line)))
        found = await editor.client.text_document_completion_async(params)
        assert isinstance(found, list)
        assert [each.label for each in found] == proposed, line


@pytest.mark.asyncio
async def test_a_class_is_renamed_with_the_markers_that_name_it(editor: Editor) -> None:
    (editor.root / "brand/models/use.py").write_text(
        "from .bert import BertLayer\n\nlayer = BertLayer(1)  # BertLayer\n"
    )
    await editor.start()
    await editor.open(BERT)
    at = types.Position(1, 8)
    extent = await editor.client.text_document_prepare_rename_async(
        types.PrepareRenameParams(editor.document(BERT), at)
    )
    assert extent == types.Range(types.Position(1, 6), types.Position(1, 15))
    edit = await editor.client.text_document_rename_async(types.RenameParams(editor.document(BERT), at, "BertBlock"))
    assert edit is not None
    use = (editor.root / "brand/models/use.py").read_text()
    texts = {BERT: ORIGINAL, ROBERTA: COPY, ALBERT: OTHER_COPY, "brand/models/use.py": use}
    after = editor.edited(edit, texts)
    assert after[BERT] == ORIGINAL.replace("class BertLayer", "class BertBlock")
    assert after[ROBERTA] == COPY.replace("bert.BertLayer", "bert.BertBlock")
    assert after[ALBERT] == OTHER_COPY.replace("bert.BertLayer", "bert.BertBlock")
    assert after["brand/models/use.py"] == "from .bert import BertBlock\n\nlayer = BertBlock(1)  # BertLayer\n"


@pytest.mark.asyncio
async def test_positions_count_as_the_client_does(editor: Editor) -> None:
    await editor.start()
    text = f'x = "𝒳"; y = 1  # {COPY.splitlines()[1][2:]}\n{COPY}'
    await editor.open(ROBERTA, text)
    drifted = text.replace("* self.size", '* self.size  # 𝒳 and "𝒳"')
    (found,) = [each for each in await editor.type(ROBERTA, drifted) if each.code == "CP001"]
    actions = await editor.actions(ROBERTA, found)
    assert await editor.applied(actions["Take the original's text"], {ROBERTA: drifted}) == {ROBERTA: text}


@pytest.mark.asyncio
async def test_lines_that_end_as_on_windows_stay_lines(editor: Editor) -> None:
    await editor.start()
    assert await editor.open(ROBERTA, COPY.replace("\n", "\r\n")) == []
    (found,) = await editor.type(ROBERTA, DRIFTED.replace("\n", "\r\n"))
    assert found.range.start.line == 1


@pytest.mark.asyncio
async def test_a_document_of_no_library_and_one_that_is_no_file_are_left_alone(editor: Editor, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    await editor.start(empty)
    item = types.TextDocumentItem("untitled:Untitled-1", types.LanguageKind.Python, 1, COPY)
    editor.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
    hover = types.HoverParams(types.TextDocumentIdentifier("untitled:Untitled-1"), types.Position(1, 1))
    assert await editor.client.text_document_hover_async(hover) is None
    messages = [each.message for each in editor.client.messages]
    assert messages == [f"add-model: no library around {empty}; open a folder that holds a package with marked copies"]
    # The next library that is opened is served.
    assert [each.code for each in await editor.open(ROBERTA, DRIFTED)] == ["CP001"]


@pytest.mark.asyncio
async def test_a_new_file_is_judged_before_it_is_saved_and_forgotten_when_it_never_is(editor: Editor) -> None:
    await editor.start()
    name = "brand/models/fresh.py"
    (found,) = await editor.open(name, DRIFTED)
    assert found.code == "CP001"
    editor.client.text_document_did_close(types.DidCloseTextDocumentParams(editor.document(name)))
    editor._versions.pop(editor.uri(name))
    assert await editor.published(editor.uri(name)) == []


@pytest.mark.asyncio
async def test_a_configuration_that_cannot_be_read_is_said(editor: Editor) -> None:
    (editor.root / "pyproject.toml").write_text("[tool.add-model]\nno_such_key = 1\n")
    await editor.start()
    hover = types.HoverParams(editor.document(ROBERTA), types.Position(1, 1))
    assert await editor.client.text_document_hover_async(hover) is None
    assert len(editor.client.messages) == 1 and "no_such_key" in editor.client.messages[0].message
