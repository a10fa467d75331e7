"""`like`, as a path for data: answers -> plan -> files -> tree.

- Answers: `questionnaire` completes and checks them, `answers` stores them; `interview` and `catalogue` ask for them, and
  `destination` says where to write.
- A kind of library is a room: `standalone`, `checkout`, `diffusers` and `out_of_tree` answer the questions of `target`, plan, and render
  the files in memory; `library_kinds` lists them. What each comes to is a `rendering`.
- Floors below the rooms: `copied_text` renames and marks what is copied, `source_tree` puts entries into what others keep, `surroundings` makes what stands around it,
  `formatting` lays out as the library's own settings say, and `naming` knows which names cannot be.
- `writing` has the files written, and made anew where somebody saved one meanwhile; `tree` decides what becomes of each.
  `record` is what is remembered of it, and `removal` takes it back, as far as it is the model's (`belongings`).
"""
