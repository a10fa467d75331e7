"""The tests of DistilBERT."""
