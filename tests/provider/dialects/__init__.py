"""Recorded exchanges of other dialects than OpenAI's, asked through OpenAI's words: one file a dialect.

Each has `ask` (the keyword arguments that mean what the recorded client sent), `read` (what the recorded bytes say, by
code of the tests' own) and `differences` (what was sent, against what was recorded).
"""
