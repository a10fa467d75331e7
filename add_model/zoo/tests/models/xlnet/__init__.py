"""The tests of XLNet."""
