"""What becomes of a text that is copied: the words of the model renamed, and a marker above each block. Pure, for every kind of library."""
