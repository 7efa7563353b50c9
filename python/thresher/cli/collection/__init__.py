"""``thresher collection``: collections of documents that change, from a shell.

One file a command, or a few that belong together; `app` lists them, and `_rows` reads documents.
"""

from __future__ import annotations
