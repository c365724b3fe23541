"""A FastAPI endpoint that hands a stream on; a reader who leaves early ends the call, and pays for what came.

OPENAI_API_KEY=... uvicorn --app-dir examples fastapi_stream:app      then: curl -N localhost:8000/ask?question=...
"""

from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

import edgequake_obs

app = FastAPI()


@app.get("/ask")
async def ask(question: str, user: str | None = None) -> StreamingResponse:
    with edgequake_obs.context(user=user, tags={"feature": "ask"}):
        answer = await edgequake_obs.acompletion("gpt-4o-mini", [{"role": "user", "content": question}], stream=True)
    return StreamingResponse(texts(answer), media_type="text/plain")


async def texts(answer) -> AsyncIterator[str]:
    async for chunk in answer:
        yield chunk.content or ""
