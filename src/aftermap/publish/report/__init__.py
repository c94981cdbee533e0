"""The report of a map: how far to trust it, in figures, pictures and words."""
