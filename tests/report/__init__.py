"""Tests of the report, from the marts to the page in a browser."""
