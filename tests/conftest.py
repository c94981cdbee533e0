"""For every test: a property is judged by what it finds, not by the speed of a machine."""

from hypothesis import settings

settings.register_profile("aftermap", deadline=None)
settings.load_profile("aftermap")
