"""Pipelines that are broken off at any moment, and go on to the end."""
