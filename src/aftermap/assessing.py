"""``aftermap assess``: the buildings of a case, graded with their evidence."""
