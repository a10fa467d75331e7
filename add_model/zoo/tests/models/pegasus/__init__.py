"""The tests of Pegasus."""
