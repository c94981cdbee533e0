"""Buildings and what was seen of them -> grades, with reasons, and totals that hold."""
