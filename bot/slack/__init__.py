"""Slack: who may ask, what they get to see, and the connection that carries it."""
