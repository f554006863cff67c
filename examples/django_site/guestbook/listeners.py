"""Called by Doorward, in the transaction of what has happened: both are kept, or neither."""

from doorward.core.events import SignedUp
from doorward.django.runtime import on
from guestbook.models import Line


@on(SignedUp)
def welcome(event):
    Line.objects.create(member_id=event.user_id, text="has come in for the first time")
