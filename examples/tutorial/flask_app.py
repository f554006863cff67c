"""The classic tutorial in Flask, done right: `POST /login` gives a token, and the token opens `/protected`."""

from flask import Flask
from flask_login import current_user, login_required
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from doorward import actions
from doorward.core.refusals import Refused
from doorward.flask import Auth
from doorward.flask_login import LoginManager
from doorward.stores.tables import UserTable

DATABASE = "sqlite:///tutorial.db"


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str | None] = mapped_column(unique=True)
    email: Mapped[str | None]
    password: Mapped[str]
    is_active: Mapped[bool] = mapped_column(default=True)


Base.metadata.create_all(create_engine(DATABASE))

app = Flask(__name__)
app.config.from_prefixed_env()  # FLASK_SECRET_KEY
users = UserTable(User, username="username", password="password", active="is_active")
auth = Auth(app, DATABASE, origin="http://localhost:5000", users=users)
LoginManager(app)


@app.post("/login")
def login():
    sent = auth.json()
    try:
        step = auth.do(
            actions.password.sign_in,
            identifier=sent.get("username", ""),
            password=sent.get("password", ""),
            issue="tokens",
        )
    except Refused as refused:
        if refused.reason != "wrong_credentials":
            raise
        return {"error": "Invalid credentials"}, 401
    return {"token": step.access_token}


@app.get("/protected")
@login_required
def protected():
    return {"message": "Hello, authenticated user!"}


@app.get("/me")
@login_required
def me():
    return {"username": current_user.username}
