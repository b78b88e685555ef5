"""The plots: specifications of Vega-Lite (`common`, `timelines`, `bars`), drawn without a browser.

Every plot is told in full: where a mark begins and ends, and what is said of it. Nothing is added
up, sorted or looked up by the library. What comes out of it is cut down to what a page may hold
(`drawing`).
"""
