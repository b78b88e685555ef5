"""The contact sheet: an archive of downloaded files as pages to look at, offline, without scripts.

The manifests say what was downloaded (`manifests`, `entries`), a table orders it (`catalogue`),
and pages show it (`paging`, `page`, `cards`, `writing`). What a sender chose - names, types - is
text on these pages, never markup and never an address (`links`, `kinds`).
"""
