"""The report: what the marts of the warehouse say, as a page to look at, offline, without scripts.

Where the marts are (`places`, `databases`) and what they say (`marts`, `figures`) comes first;
plots are drawn by Vega (`plots`), each with its figures beside it (`tables`), and put
on a page (`sections`, `page`). Names that others chose are text on it, never markup; who sent what
is told by keyed hashes (`senders`).
"""
