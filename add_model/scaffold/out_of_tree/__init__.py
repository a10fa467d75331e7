"""A package of one's own on an installed Transformers, as a kind of library.

| module | what is in it |
|---|---|
| `target` | such a package, and how it is told from a standalone library |
| `imports` | relative imports that lead into Transformers, made absolute |
| `auto_classes` | which auto class stands for which of the reference's classes, read from the installed mappings |
| `definitions` | what the new classes are: of what configuration, and needing which packages |
| `modules` | the files of the new model's folder |
| `sizes` | with which a page can make a small model |
| `render` | the plan as files in memory: the model, and the package around it where there is none |

The reference is read as in a checkout: the installed package has the layout of one. Nothing is written into it.
"""
