"""Moves what this app holds of an account that is joined into another."""

from accounts.joining import move
from accounts.models import User
from incidents.models import AddressChange, DoneStep, Reveal, RowProof, StepReminder, WrongAnswer


def move_rows(ends: User, stays: User) -> None:
    """Gives the looks, proofs, claims, steps and reminders of `ends` to `stays`."""
    move(Reveal.objects.filter(user=ends), stays)
    AddressChange.objects.filter(claimed_by=ends).update(claimed_by=stays)
    move(WrongAnswer.objects.filter(user=ends), stays)
    move(RowProof.objects.filter(user=ends), stays, one_for_each=["person"])
    move(DoneStep.objects.filter(user=ends), stays, one_for_each=["incident", "step"])
    move(StepReminder.objects.filter(user=ends), stays, one_for_each=["incident"])
