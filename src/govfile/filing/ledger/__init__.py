"""The durable record of what was filed: which name, which content, and what became of it.

Every submission is written down here before its first byte leaves. SQLAlchemy loads when a ledger is opened.
"""

from govfile.filing.ledger.book import Ledger
from govfile.filing.ledger.receipts import Received
from govfile.filing.ledger.verify import Finding

__all__ = ["Finding", "Ledger", "Received"]
