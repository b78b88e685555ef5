"""Drawing a plot with Vega, and keeping of it what a page may hold.

The drawing is made in this process, without a browser, and nothing is asked of any host. Of what
comes out only shapes, texts and their places are kept: no identifiers that would collide on a page,
no styles that its policy forbids. What Vega says of a mark to screen readers becomes what a browser
shows on hovering; readers are told of the plot as a whole, and given the table.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from tap_twilio_media.gallery.texts import cleaned, escaped
from tap_twilio_media.report.errors import MissingPackageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_twilio_media.report.plots.common import Spec

_KEPT = frozenset(
    [
        *("d", "x", "y", "x1", "x2", "y1", "y2", "dx", "dy", "width", "height", "transform"),
        *("fill", "fill-opacity", "stroke", "stroke-width", "opacity", "text-anchor"),
        "stroke-miterlimit",
    ]
)
_TAGS = frozenset({"g", "line", "path", "rect", "text", "tspan"})
_FRACTION = re.compile(r"-?\d+\.\d{3,}(?:e-?\d+)?")


def drawn(spec: Spec, kind: str, label: str) -> str:
    """Return a plot as markup: an `<svg>` that fills the width it is given.

    Args:
        spec: What to draw.
        kind: Its class on the page.
        label: What it shows, in words.

    Raises:
        MissingPackageError: The library is not installed.
    """
    try:
        import vl_convert  # noqa: PLC0415 - comes with an extra
    except ImportError as error:
        raise MissingPackageError("vl-convert-python") from error

    drawing = vl_convert.vegalite_to_svg(_fit_for_xml(spec), allowed_base_urls=[])
    root = ET.fromstring(drawing)  # noqa: S314 - drawn a moment ago, no foreign document
    width, height = (root.get(name, "0") for name in ("width", "height"))
    return (
        f'<svg class="{kind}" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' role="img" aria-label="{escaped(label)}">{"".join(_inside(root))}</svg>\n'
    )


def _fit_for_xml(value: Any) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """Return a specification without what no XML may hold: Vega would put it there as it is."""
    if isinstance(value, str):
        return cleaned(value)
    if isinstance(value, dict):
        return {key: _fit_for_xml(each) for key, each in value.items()}
    return [_fit_for_xml(each) for each in value] if isinstance(value, list) else value


def _inside(element: ET.Element) -> Iterator[str]:
    for child in element:
        yield from _markup(child)


def _markup(element: ET.Element) -> Iterator[str]:
    tag = element.tag.rpartition("}")[2]
    if tag not in _TAGS or element.get("display") == "none":
        return
    if tag == "path" and element.get("class") in {"background", "foreground"}:
        return
    content = "".join(_inside(element))
    if element.text and tag in {"text", "tspan"}:
        content = escaped(element.text) + content
    if element.get("role") == "graphics-symbol" and element.get("aria-label"):
        content += f"<title>{escaped(element.attrib['aria-label'])}</title>"
    if not content and tag in {"g", "text", "tspan"}:
        return
    attributes = "".join(
        f' {name}="{escaped(_shortened(value))}"'
        for name, value in element.attrib.items()
        if name in _KEPT
    )
    yield f"<{tag}{attributes}>{content}</{tag}>" if attributes or tag != "g" else content


def _shortened(value: str) -> str:
    return _FRACTION.sub(lambda number: f"{float(number[0]):.2f}".rstrip("0").rstrip("."), value)
