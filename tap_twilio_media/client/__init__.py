"""Twilio over HTTP: addresses, credentials, retries and paging. Knows nothing of Singer."""
