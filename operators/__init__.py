"""Everything that computes or connects: operators, SQL, connectors."""
