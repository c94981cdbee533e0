"""The surface and the lines of streets -> how wide a way is left, every ten metres."""
