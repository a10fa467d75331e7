"""A source tree of Diffusers, as a kind of library: the same path, answers -> plan -> files -> tree.

- `layout` recognises the tree, and knows where what stands in it; `exports` reads its package files.
- `units` finds what it is made of: modules of models and schedulers, folders of pipelines. `reference` is all that goes by
  one name.
- `plan` is what will be done, as a value: each unit with a renaming of its own.
- `registration` makes the new model known: `package_files`, `dummies`, `tables`, `documentation` and `test_files`;
  `mentions` says what is left to a person. `render` makes the files in memory.
"""
