"""What a check reads: the files that it looks at, the sources that markers name, and what else the disk answers."""
