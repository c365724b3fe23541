"""One client each: the same exchanges, with everything read that a program would read.

An adapter has `call()`, `acall()`, and `stream()` and `astream()`, which return when the first chunk's content was
there (`time.perf_counter`) and how many chunks were read; `settle()` finishes what the client put off.
"""

MODEL = "gpt-4o-mini"
MESSAGES = [
    {"role": "system", "content": "You are terse."},
    {"role": "user", "content": "Say something of a hundred words about rivers."},
]
CONTENT = "word " * 120  # what the yardstick's server says in a plain answer
NAMES = ("baseline", "own", "openai", "litellm")
