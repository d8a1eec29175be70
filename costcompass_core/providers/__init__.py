"""Providers: pure parsers of what they answer, and the HTTP edge that fetches it."""
