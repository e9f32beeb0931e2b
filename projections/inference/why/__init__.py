"""Why is this limit what it is? The chain of events behind one limit, each with its role and one sentence."""

from projections.inference.why.chain import Lookups, Why, WhyEvent, why

__all__ = ["Lookups", "Why", "WhyEvent", "why"]
