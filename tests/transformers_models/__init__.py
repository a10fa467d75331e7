"""Whether a model that `add-model like` made from one of Transformers works as its reference does.

| module | what is in it |
|---|---|
| `pairing` | which file and name of the new folder stands for which of the reference's; by position, never by renaming |
| `folders` | the model folders of a tree, the fixed sample, and the folders that recipe.md names |
| `scratch` | a scratch copy of a tree, models added to it, and the tree as it was, held against it |
| `places` | where references and new models stand: in the library's own tree, or in a package that depends on it |
| `quality` | what check-copies, ruff and a reading line by line say of a reference and of a new folder |
| `names` | the names of a new folder that are bound nowhere, and its reference does not have |
| `linter` | what the library's own linter finds in a new folder and not in its reference's, where it is installed |
| `facts` | what a model class does with its default configuration, on the meta device |
| `registrations` | what the auto classes answer for a model's configurations and names |
| `preprocessing` | tokenizers, processors and their like, made and run |
| `tiny` | small configurations and inputs for a forward pass |
| `forward` | two models with the same weights: whether their outputs are the same bits |
| `checkpoints` | what the reference saved, loaded into itself and into the copy: names and numbers |
| `lines` | what was asked of a model, and the problems of each question, as one JSON line |
| `judge` | the process that imports the scratch tree's Transformers and judges models, one JSON line each |
| `table` | the state file, and the table that is printed of it |

`judge`, `facts`, `registrations`, `preprocessing`, `checkpoints`, `tiny` and `forward` import the judged Transformers and nothing of this tool, so that
they run under whatever Python that release needs.
"""
