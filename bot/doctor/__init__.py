"""What `costcompass doctor` finds out: one finding a line, each with its mend."""
