"""Pictures to features and matches: one RootSIFT, one grey reader, one robust geometry."""
