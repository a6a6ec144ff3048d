"""ELAN annotation format 3.0 (https://www.mpi.nl/tools/elan/EAFv3.0.xsd).

Each speaker has a tier of segments and below it a tier of words, which lie within their segment (Included_In).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from urllib.parse import quote
from xml.etree import ElementTree as ET

from wortlaut.formats.plain_text import one_line
from wortlaut.formats.rendering import DEFAULTS, RenderOptions
from wortlaut.formats.tiers import Interval, Tier, tiers_of
from wortlaut.transcript import Transcript

NAMESPACE = "http://www.w3.org/2001/XMLSchema-instance"
SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
DATE = "1970-01-01T00:00:00+00:00"
"""The schema wants a date; a fixed one lets equal transcripts give equal files."""

SEGMENTS, WORDS = "segments", "words"


class _Timeline:
    """Time slots in the order in which they are asked for, with their ids."""

    def __init__(self) -> None:
        self.slots: list[tuple[str, int]] = []
        self._annotations = itertools.count(1)

    def slot(self, time_ms: int) -> str:
        self.slots.append((f"ts{len(self.slots) + 1}", time_ms))
        return self.slots[-1][0]

    def annotation_id(self) -> str:
        return f"a{next(self._annotations)}"


def render(transcript: Transcript, options: RenderOptions = DEFAULTS, /) -> bytes:
    timeline = _Timeline()
    tiers = [element for tier in tiers_of(transcript) for element in _tiers(tier, timeline)]
    root = ET.Element("ANNOTATION_DOCUMENT", {"AUTHOR": "", "DATE": DATE, "FORMAT": "3.0", "VERSION": "3.0"})
    root.set("xmlns:xsi", NAMESPACE)
    root.set("xsi:noNamespaceSchemaLocation", SCHEMA)
    root.append(_header(options))
    root.append(_time_order(timeline))
    root.extend([*tiers, *_types()])
    ET.indent(root)
    content: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return content + b"\n"


def _header(options: RenderOptions) -> ET.Element:
    header = ET.Element("HEADER", {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"})
    url = f"./{quote(one_line(options.recording))}"
    ET.SubElement(header, "MEDIA_DESCRIPTOR", {"MEDIA_URL": url, "MIME_TYPE": "unknown", "RELATIVE_MEDIA_URL": url})
    return header


def _time_order(timeline: _Timeline) -> ET.Element:
    order = ET.Element("TIME_ORDER")
    for slot, time_ms in sorted(timeline.slots, key=lambda slot: slot[1]):
        ET.SubElement(order, "TIME_SLOT", {"TIME_SLOT_ID": slot, "TIME_VALUE": str(time_ms)})
    return order


def _tiers(tier: Tier, timeline: _Timeline) -> Iterator[ET.Element]:
    who = {"PARTICIPANT": tier.name}
    segments = ET.Element("TIER", {"TIER_ID": tier.name, **who, "LINGUISTIC_TYPE_REF": SEGMENTS})
    words = ET.Element(
        "TIER",
        {"TIER_ID": f"{tier.name} - words", **who, "LINGUISTIC_TYPE_REF": WORDS, "PARENT_REF": tier.name},
    )
    for utterance in tier.utterances:
        segments.append(_annotation(utterance.whole, timeline))
        words.extend(_annotation(word, timeline) for word in utterance.words)
    yield segments
    yield words


def _annotation(interval: Interval, timeline: _Timeline) -> ET.Element:
    annotation = ET.Element("ANNOTATION")
    aligned = ET.SubElement(
        annotation,
        "ALIGNABLE_ANNOTATION",
        {
            "ANNOTATION_ID": timeline.annotation_id(),
            "TIME_SLOT_REF1": timeline.slot(interval.start_ms),
            "TIME_SLOT_REF2": timeline.slot(interval.end_ms),
        },
    )
    ET.SubElement(aligned, "ANNOTATION_VALUE").text = interval.text
    return annotation


def _types() -> list[ET.Element]:
    return [
        ET.Element("LINGUISTIC_TYPE", {"LINGUISTIC_TYPE_ID": SEGMENTS, "TIME_ALIGNABLE": "true"}),
        ET.Element(
            "LINGUISTIC_TYPE", {"LINGUISTIC_TYPE_ID": WORDS, "TIME_ALIGNABLE": "true", "CONSTRAINTS": "Included_In"}
        ),
        ET.Element(
            "CONSTRAINT",
            {
                "STEREOTYPE": "Included_In",
                "DESCRIPTION": "Annotations within the time interval of the parent annotation, gaps are allowed",
            },
        ),
    ]
