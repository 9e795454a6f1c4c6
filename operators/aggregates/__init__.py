"""Aggregate functions: descriptions of them, and the accumulators that compute them over dense slots."""

from operators.aggregates import agg
from operators.aggregates.aggregation import Aggregation
from operators.aggregates.bank import Aggregations, Bank

__all__ = ["Aggregation", "Aggregations", "Bank", "agg"]
