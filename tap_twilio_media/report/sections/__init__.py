"""The sections of the page, each from what the marts say to its markup."""
