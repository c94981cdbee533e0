"""Aftermap: drone footage of a war-damaged city in; a map that can be defended out."""
