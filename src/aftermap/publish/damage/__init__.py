"""Graded buildings and streets for people: the damage report and the sheet of each building."""
