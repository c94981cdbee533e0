"""Footprints, the map and the pictures -> buildings in their place, and who saw them."""
