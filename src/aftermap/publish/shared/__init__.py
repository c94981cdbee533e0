"""What several products share: text files, colours, wording, overviews of rasters."""
