"""Settings of the property-based tests: a loaded machine is slow, and that is no failure."""

from hypothesis import settings

settings.register_profile("add-model", deadline=None)
settings.load_profile("add-model")
