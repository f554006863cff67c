"""A guest book, closed to strangers: members in its own table, and its own session lent to Doorward."""

from flask import Flask, redirect, render_template, request
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, scoped_session, sessionmaker

from doorward.core.action import Needs
from doorward.core.events import SignedUp
from doorward.flask import Auth, current_user, public
from doorward.stores.tables import UserTable

DATABASE = "sqlite:///guestbook.db"


class Base(DeclarativeBase):
    pass


class Member(Base):
    __tablename__ = "member"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str | None]
    name: Mapped[str] = mapped_column(default="")
    lines: Mapped[list["Line"]] = relationship(back_populates="member")


class Line(Base):
    __tablename__ = "line"

    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    member: Mapped[Member] = relationship(back_populates="lines")


app = Flask(__name__)
app.config.from_prefixed_env()  # FLASK_SECRET_KEY
session = scoped_session(sessionmaker(create_engine(DATABASE)))
auth = Auth(
    app,
    DATABASE,
    origin="http://localhost:5000",
    rp_name="Guest book",
    users=UserTable(Member, email="email", name="name"),
    session=lambda: session,
)
auth.protect(app)  # closed by default: what is open says `@public`
Base.metadata.create_all(session.get_bind())


@auth.on(SignedUp)
def welcome(event):
    """In the transaction that makes the member: both are kept, or neither."""
    session.add(Line(text="has come in for the first time", member_id=int(event.user_id)))


@app.get("/")
@public
def book():
    lines = session.scalars(select(Line).order_by(Line.id.desc()).limit(100)).all()
    return render_template("book.html", lines=lines, member=current_user)


@app.post("/write")
def write():
    text = request.form.get("text", "").strip()[:280]
    if text:
        session.add(Line(text=text, member_id=current_user.id))
        session.commit()
    return redirect("/")


@app.get("/lines")
def lines():
    return {"lines": [line.text for line in current_user.lines]}


@app.post("/wipe")
@auth.needs(Needs.FRESH)
def wipe():
    """What can't be undone wants a proof of the last ten minutes."""
    for line in list(current_user.lines):
        session.delete(line)
    session.commit()
    return redirect("/")


@app.teardown_appcontext
def give_back(error):
    session.remove()
