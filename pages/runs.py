"""Every run in the folder: look, rename, delete, take home, bring in."""

from pages.shared.frame import frame
from pages.shared.mode import may_change, say_demonstration
from pages.shared.runs.actions import offer, offer_one_of
from pages.shared.runs.bring_in import take_in
from pages.shared.runs.table import run_table
from pages.shared.state import store

frame("Runs", "What has been trained, and how good is it?")

runs = store().runs()
ticked = run_table(runs)
if len(ticked) == 1:
    offer(ticked[0])
elif ticked:
    offer_one_of(ticked)

if may_change():
    take_in(expanded=not runs)
else:
    say_demonstration()
