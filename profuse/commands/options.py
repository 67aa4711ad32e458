"""Options that many commands take."""

from pathlib import Path
from typing import Annotated

import typer

Dir = Annotated[Path | None, typer.Option("--dir", help="The stack's directory; else PROFUSE_DIR, else .profuse.", show_default=False)]
