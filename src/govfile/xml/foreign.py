"""Trees of other libraries: SOAP clients hand them to their plug-ins and take them back.

Only bytes cross the border. What comes back was read from the very bytes that were meant to go out, so that its
canonical form, and with it every signature, is that of those bytes however it is written afterwards.
"""

from __future__ import annotations

from typing import Any

from lxml import etree

from govfile.xml import _tree


def bytes_of(tree: Any) -> bytes:
    """An lxml element as a document of its own, in UTF-8."""
    return etree.tostring(tree, encoding="UTF-8", xml_declaration=True, with_tail=False)


def tree_of(document: bytes) -> Any:
    """The root of a document we wrote, as an lxml element."""
    return _tree.root_of(document)
