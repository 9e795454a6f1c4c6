"""Functions of all dialects by our names, by subject, as `operators.expressions.functions` has them."""
