"""Is an explanation any good, and do explanations agree?"""

from nbxplain.evaluation.agreement import rank_correlation, top_overlap

__all__ = ["rank_correlation", "top_overlap"]
