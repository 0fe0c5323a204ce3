"""Rules as data: each with its source. Loaders stand beside the files they read."""
