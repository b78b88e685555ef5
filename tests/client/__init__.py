"""Tests of the client, over HTTP."""
