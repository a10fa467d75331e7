"""The model that a porter works on: found by its name in a library, read as text, or imported and built."""
