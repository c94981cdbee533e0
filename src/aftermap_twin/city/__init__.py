"""A dense town of flat roofs on crooked lots: the first style of district."""
