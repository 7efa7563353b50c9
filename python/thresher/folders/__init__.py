"""Folders of files as collections of passages, kept up to date, and questions that are put to them.

`finding` finds files, `reading` cuts them into passages, `indexing` stores these, `watching` does so again and again;
`answering` finds the passages for a question.
"""

from __future__ import annotations

from thresher.folders.answering import Answer, Passages, ask
from thresher.folders.finding import Found, find
from thresher.folders.indexing import Report, index_folder
from thresher.folders.watching import watch

__all__ = ["Answer", "Found", "Passages", "Report", "ask", "find", "index_folder", "watch"]
