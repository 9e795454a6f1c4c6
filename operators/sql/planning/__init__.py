"""From a qualified tree to a plan: what each clause of a query means.

Every expression of the plan is bound to the types of its columns, so what does not fit is refused here.
"""
