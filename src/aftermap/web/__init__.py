"""The workbench: a local page on which people look at a case, check it and correct it."""
