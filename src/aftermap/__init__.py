"""Aftermap: turn drone imagery of an inaccessible town into a defensible map."""
