"""How values are represented: as text, as whole numbers, as words that have their order, as Python objects."""
