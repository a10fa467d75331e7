"""`like`, as a path for data: answers -> plan -> files -> tree.

- Answers: `questionnaire` completes and checks them, `answers` stores them; `interview`, `questions`, `prompts` and
  `catalogue` ask for them; `destination` says where to write, `clashes` which names cannot be.
- `plan` is what will be done, as a value.
- `render` makes the files in memory: `selection` leaves heads out, `marking` puts the markers, `formatting` lays out,
  `documentation`, `templates` and `project_file` make what stands around the code.
- `tree` decides what becomes of each file and writes them in one transaction.
"""
