"""What became of messages, and what they cost."""

from __future__ import annotations

from collections import Counter
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from typing import TYPE_CHECKING

from tap_twilio_media.gallery.texts import counted
from tap_twilio_media.report.channels import OUTCOMES, name_of_way, outcome_of, rank_of_channel
from tap_twilio_media.report.parts import Section, legend, nothing, plot, share
from tap_twilio_media.report.plots.bars import Row, shares
from tap_twilio_media.report.plots.common import Part
from tap_twilio_media.report.tables import Table, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_twilio_media.report.channels import Outcome
    from tap_twilio_media.report.figures import Cost, Delivery, Said
    from tap_twilio_media.report.tables import Cell

    Counts = Counter[tuple[str, str]]
    """Messages by way - a channel and a direction, in words - and status."""

_FINEST = Decimal("0.00001")
"""Of a price per segment: Twilio's own are not finer."""
_UNPRICED = "not priced yet"


def delivery_section(said: Said) -> Section:
    """What became of messages, by channel and direction, and what they cost."""
    name, title = "delivery", "Delivery mix"
    if not said.deliveries:
        lead = "What became of messages."
        return Section(name, title, lead, nothing("No messages in these days."), broad=True)
    counts: Counts = Counter()
    for row in said.deliveries:
        counts[name_of_way(row.channel, row.direction), row.status] += row.messages
    ways = _ways(said.deliveries)
    reached = {outcome_of(row.status) for row in said.deliveries}
    outcomes = [outcome for outcome in OUTCOMES if outcome in reached]
    bars = [_bar(way, counts, outcomes) for way in ways]
    failed, messages = failed_of(said)
    lead = (
        f"What became of {counted(messages, 'message')}: {failed:,} failed or undelivered,"
        f" {share(failed, messages)}. Messages of Conversations are not among them."
    )
    body = (
        legend((outcome.capitalize(), OUTCOMES[outcome]) for outcome in outcomes)
        + plot(partial(shares, bars), f"{title} by channel and direction. {lead}", broad=True)
        + f'<div class="beside">\n{table(_statuses(counts, ways))}{_errors(said)}</div>\n'
        + table(_costs(said.costs))
    )
    return Section(name, title, lead, body, broad=True)


def failed_of(said: Said) -> tuple[int, int]:
    """Return how many messages failed or were not delivered, and how many there are in all."""
    failed = sum(row.messages for row in said.deliveries if outcome_of(row.status) == "failed")
    return failed, sum(row.messages for row in said.deliveries)


def costs_by_unit(said: Said) -> dict[str, Decimal]:
    """Return what all messages cost, for each unit of money; what has no price yet is left out."""
    costs: dict[str, Decimal] = {}
    for row in said.costs:
        if row.unit and row.cost is not None:
            costs[row.unit] = costs.get(row.unit, row.cost * 0) + row.cost
    return dict(sorted(costs.items()))


def _ways(rows: Sequence[Delivery | Cost]) -> list[str]:
    ordered = sorted(rows, key=lambda row: (rank_of_channel(row.channel), row.direction))
    return list(dict.fromkeys(name_of_way(row.channel, row.direction) for row in ordered))


def _bar(way: str, counts: Counts, outcomes: Sequence[Outcome]) -> Row:
    found: Counter[Outcome] = Counter()
    for (of_way, status), messages in counts.items():
        if of_way == way:
            found[outcome_of(status)] += messages
    whole = sum(found.values())
    parts = [
        Part(
            found[outcome],
            OUTCOMES[outcome],
            f"{way}, {outcome}: {found[outcome]:,} of {whole:,}, {share(found[outcome], whole)}",
        )
        for outcome in outcomes
        if found[outcome]
    ]
    return Row(way, parts, "")


def _statuses(counts: Counts, ways: Sequence[str]) -> Table:
    order = list(OUTCOMES)
    statuses = sorted(
        {status for _, status in counts},
        key=lambda status: (order.index(outcome_of(status)), status),
    )
    rows: list[list[Cell]] = []
    for status in statuses:
        row = [counts[way, status] for way in ways]
        rows.append([status, *row, sum(row)])
    totals = [sum(counts[way, status] for status in statuses) for way in ways]
    return Table(
        "delivery-table",
        "Messages by status",
        ["Status", *ways, "All"],
        rows,
        total=["All", *totals, sum(totals)],
    )


def _errors(said: Said) -> str:
    if not said.failures:
        return nothing("No message has an error code.")
    figures = Table(
        "errors-table",
        "Messages with an error code",
        ["Code", "Status", "Messages"],
        [[str(row.error_code), row.status, row.messages] for row in said.failures],
    )
    return table(figures)


def _costs(costs: Sequence[Cost]) -> Table:
    """What messages cost: a row for each way and unit, because units do not add up."""
    rows: list[list[Cell]] = []
    for way in _ways(costs):
        mine = [row for row in costs if name_of_way(row.channel, row.direction) == way]
        for unit in sorted({row.unit for row in mine}, key=lambda unit: (unit is None, unit)):
            found = [row for row in mine if row.unit == unit]
            priced = [row.cost for row in found if row.cost is not None]
            cost = sum(priced, priced[0] * 0) if priced else None
            segments = sum(row.segments for row in found)
            each = (cost / segments).quantize(_FINEST, ROUND_HALF_UP) if cost and segments else None
            messages = sum(row.messages for row in found)
            rows.append([way, messages, segments, unit or _UNPRICED, cost, each])
    header = ["Messages", "How many", "Segments", "Unit", "Cost", "Per segment"]
    return Table("cost-table", "What messages cost", header, rows)
