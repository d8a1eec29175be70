"""What CostCompass does, one verb a module; each takes its doors to the world as arguments."""
