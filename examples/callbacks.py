"""A function that is told of each call, and an object that is.

OPENAI_API_KEY=... python examples/callbacks.py
"""

import edgequake_obs
from edgequake_obs.integrations.custom_logger import CustomLogger


class Failures(CustomLogger):
    def log_failure_event(self, kwargs, response_obj, start_time, end_time):
        print(f"{kwargs['model']} failed: {type(kwargs['exception']).__name__}")


def spent(kwargs, answer, start_time, end_time):
    print(f"{kwargs['model']} said {answer.content!r} for {kwargs['response_cost']} USD")


edgequake_obs.success_callback = [spent]
edgequake_obs.callbacks = [Failures()]

edgequake_obs.completion("gpt-4o-mini", [{"role": "user", "content": "What is the capital of Mexico?"}])
try:
    edgequake_obs.completion("gpt-4o-mini", [], mock_response="litellm.RateLimitError")
except edgequake_obs.RateLimitError as error:
    print(f"caught: {error.status_code}")

edgequake_obs.flush()  # callbacks run on a thread of their own: a program that ends waits for them by itself
