"""From a plan to operators and routers in a graph."""
