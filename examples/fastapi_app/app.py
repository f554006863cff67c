"""Notes behind a JSON API: each person sees their own, by session cookie or access token."""

from typing import Annotated

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, StringConstraints

from doorward.core.action import Needs
from doorward.core.session import Identity
from doorward.fastapi import Auth, CurrentUser, MaybeUser, needs, public

NOTES: dict[str, list[str]] = {}  # by user; a real application has a table


class Note(BaseModel):
    text: Annotated[str, StringConstraints(min_length=1, max_length=280)]


app = FastAPI(title="Notes")
auth = Auth(app, "sqlite:///notes.db", origin="http://localhost:8000")  # and DOORWARD_SECRET
auth.protect(app, public=["/docs", "/openapi.json"])


@app.get("/")
@public
async def hello(user: MaybeUser):
    return {"hello": user.email if user else "stranger", "sign_in": "/auth/sign-in"}


@app.get("/notes")
async def notes(user: CurrentUser) -> list[str]:
    return NOTES.get(user.id, [])


@app.post("/notes", status_code=201)
def write(note: Note, user: CurrentUser) -> int:  # plain functions know who asks as well
    mine = NOTES.setdefault(user.id, [])
    if len(mine) >= 100:
        raise HTTPException(409, "100 notes are enough")
    mine.append(note.text)
    return len(mine)


@app.delete("/notes", status_code=204)
async def wipe(identity: Annotated[Identity, needs(Needs.FRESH)]) -> None:
    """What can't be undone wants a proof of the last ten minutes."""
    NOTES.pop(identity.user.id, None)
