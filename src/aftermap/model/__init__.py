"""What exists: frozen records of media, cameras, rasters and runs. No I/O and no library."""
