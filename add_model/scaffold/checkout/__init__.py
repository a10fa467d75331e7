"""A source tree of Transformers, 4.x or 5.x, as a kind of library: the same path, answers -> plan -> files -> tree.

- `layout` recognises the tree, and knows where what stands in it.
- `reference` reads one model folder of it: its files, model types, classes and spellings of its name.
- `renaming` turns those into the new model's, word by word, and leaves alone whatever comes from elsewhere.
- `modules` makes the new folder's files, each block marked as the copy that it is.
- `modular` makes a file in which each class derives from the reference's, and the single files that follow from it.
- `registration` makes the new model known: `mappings` and `exports` find where, `tables`, `entries` and `insertions` how.
- `plan` is what will be done, as a value; `render` makes the files in memory, with `package_file` for an `__init__.py`
  whose modules are not all the reference's.
"""
