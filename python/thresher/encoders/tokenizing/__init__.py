"""From a text to its terms: words, stems, stop words, and scripts that are written without spaces."""

from __future__ import annotations

from thresher.encoders.tokenizing.languages import LANGUAGES, Language, language_of
from thresher.encoders.tokenizing.tokenizer import CustomTokenizer, Tokenizer, TokenizerLike, as_tokenizer

__all__ = ["LANGUAGES", "CustomTokenizer", "Language", "Tokenizer", "TokenizerLike", "as_tokenizer", "language_of"]
