"""Sources and sinks inside the program's own process: tables, iterables, generated rows, callbacks, the terminal."""
