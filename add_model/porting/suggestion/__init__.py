"""Suggestion: the rules of a conversion, found from names and shapes, and decided by recorded values where these leave a choice."""
