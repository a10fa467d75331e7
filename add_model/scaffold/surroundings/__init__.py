"""What stands around a model's code in a library of one's own: project file, checks, docs, README; and the templates of it."""
