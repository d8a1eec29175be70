"""Reports for a terminal of 80 columns and for scripts: pure text and plain JSON values."""
