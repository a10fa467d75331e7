"""The terminal's side of the interview: it puts questions and shows texts, and decides nothing.

| module | what is in it |
|---|---|
| `fitting` | texts laid out in a given width: wrapped, aligned in columns, cut at a word |
| `menu` | a list to choose from, as a value: what is highlighted, searched for and checked |
| `pages` | a question as the lines of a screen of a given size |
| `printed` | what is shown between questions |
| `screens` | the questions on a terminal that can move its cursor, with prompt_toolkit |
| `viewer` | a file to read on the whole screen |
| `plain` | the questions on a terminal that can only print lines, as `TERM=dumb` says |
| `asker` | which of the two puts the questions here |

The first three are pure: what a question looks like at 60 columns and 12 rows is told without a terminal.
"""
