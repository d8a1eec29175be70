"""The CostCompass daemon: Slack, terminal, schedule and configuration around the core."""
