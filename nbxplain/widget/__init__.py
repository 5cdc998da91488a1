"""What the Explorer says to the browser, and what it leaves behind as files."""
