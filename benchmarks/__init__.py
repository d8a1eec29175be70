"""What CostCompass promises about speed and size, measured against a yardstick in the same run."""
