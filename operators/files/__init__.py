"""Files as sources and sinks: Parquet, CSV, JSON lines, Arrow IPC; paths, globs, directories, files that grow."""
