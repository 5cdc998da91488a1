"""Reports: an explanation with its evidence and limits, written for the file of a product."""

from __future__ import annotations

from nbxplain.report.report import Report

__all__ = ["Report"]
