"""`govfile onss`: the Belgian social-security channel."""

from govfile.cli.commands import new_app

app = new_app("The Belgian social-security channel: declare, collect, follow.")

from govfile.cli.onss import submit as _submit  # noqa: E402, F401, I001  (each declares its commands on `app`, in this order)
from govfile.cli.onss import collect as _collect  # noqa: E402, F401
from govfile.cli.onss import follow as _follow  # noqa: E402, F401
from govfile.cli.onss import names as _names  # noqa: E402, F401
from govfile.cli.onss import verify as _verify  # noqa: E402, F401
from govfile.cli.onss import doctor as _doctor  # noqa: E402, F401
