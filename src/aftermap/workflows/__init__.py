"""Steps and record -> what one command does: the joins that are not the map's own, pipeline.py.

Each file tells one command's story; the steps know nothing of one another and nothing of these.
"""
