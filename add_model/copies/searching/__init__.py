"""Copies that nobody marked: definitions that are others up to a renaming that a marker can say, each with its marker."""
