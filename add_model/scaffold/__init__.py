"""`like`, as a path for data: answers -> plan -> files -> tree.

- Answers: `questionnaire` completes and checks them, `answers` stores them; `interview`, `questions`, `prompts` and
  `catalogue` ask for them; `destination` says where to write, `clashes` which names cannot be.
- `plan` is what will be done, as a value.
- `render` makes the files in memory: `selection` leaves heads out, `marking` puts the markers (`replacements` finds what
  they say), `formatting` lays out; `around`, `documentation`, `templates` and `project_file` make what stands around the
  code, in which `installation` says where others get add-model from.
- `targets` knows the kinds of places that a model can go into, `making` what is made for each; `checkout` is a source
  tree of Transformers, and has the path once more; `out_of_tree` is a package that depends on Transformers, whose models
  come from an installed one. `rendering` is what all of them come to.
- `tree` decides what becomes of each file and writes them in one transaction.
"""
