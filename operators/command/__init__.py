"""The command `penstock`: load a target, check it, draw it, explain it, run it."""
