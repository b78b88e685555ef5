"""Tests of the contact sheet, most of them in a real browser."""
