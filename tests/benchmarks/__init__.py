"""Speed and memory, measured and printed, never asserted. README.md holds the figures."""
