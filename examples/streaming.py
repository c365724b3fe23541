"""A stream, chunk by chunk as the provider sends it.

OPENAI_API_KEY=... python examples/streaming.py

Leaving the block closes the connection, wherever the stream is by then. The provider is asked for the stream's usage,
so that its cost is known; the chunk that carries it is hidden from a program that did not ask.
"""

import edgequake_obs

MESSAGES = [{"role": "user", "content": "Count to five."}]

with edgequake_obs.completion("gpt-4o-mini", MESSAGES, stream=True) as stream:
    for chunk in stream:
        print(chunk.choices[0].delta.content or "", end="", flush=True)
print()
