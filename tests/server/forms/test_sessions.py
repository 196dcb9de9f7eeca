"""Forms from the opening of a task to the next stage, with a real runner and real kernels."""

from __future__ import annotations

from typing import Any

import psutil

EXPENSE = (
    "from jupyter_workflows import get_stage",
    "from jupyter_workflows.forms import Page, read\nstage = get_stage()",
    "answers = Page('Expense').read('Who').read_number('Amount', min=1).run(['Send', 'Reject'])",
    "why = read('Why?')",
    "stage['who'], stage['amount'], stage['action'], stage['why'] = (\n"
    "    answers.Who, answers.Amount, answers.action, why)",
)


def test_a_form_is_filled_in_and_the_run_goes_on(forms: Any) -> None:
    task = forms.start(*EXPENSE)
    form = forms.open(task)
    form.until_open("Expense")
    form.update(form.field("Amount"), value="0")
    form.until(lambda: form.errors())
    assert "lowest allowed is 1" in form.errors()[0]
    form.press("Send")
    form.until(lambda: len(form.errors()) == 2)
    form.update(form.field("Who"), value="Anna")
    form.update(form.field("Amount"), value="12")
    form.until(lambda: not form.errors())
    form.press("Reject")
    form.until(lambda: form.form["position"] == 1)
    form.until_open()
    form.update(form.field("Why?"), value="Lunch")
    form.press("Submit")
    data = forms.data()
    assert data == {"who": "Anna", "amount": 12, "action": "Reject", "why": "Lunch", "seen": True}


def test_a_closed_form_comes_back_as_it_was(forms: Any) -> None:
    task = forms.start(*EXPENSE)
    form = forms.open(task)
    form.until_open("Expense")
    form.update(form.field("Who"), value="Anna")
    form.update(form.field("Amount"), value="7")
    form.press("Send")
    form.until(lambda: form.form["position"] == 1)
    form.until_open()
    form.update(form.field("Why?"), value="half a sen")
    found = forms.server.post(f"tasks/{task}/release")
    assert found["state"] == "waiting"
    assert found["opened_by"] is None
    again = forms.open(task)
    again.until_open()
    assert again.form["position"] == 1
    assert again.states[again.field("Why?")]["value"] == "half a sen"
    again.press("Submit")
    assert forms.data()["amount"] == 7


def test_two_people_have_one_form_open(forms: Any) -> None:
    task = forms.start("from jupyter_workflows.forms import read", "read('Who?')")
    one, two = forms.open(task), forms.open(task)
    for form in (one, two):
        form.until_open()
    one.update(one.field("Who?"), value="Anna")
    two.until(lambda: two.states[two.field("Who?")].get("value") == "Anna")
    two.press("Submit")
    one.until(lambda: one.form["state"] == "submitted")
    one.press("Submit")  # the other one has: nothing happens
    assert forms.data() == {"seen": True}


def test_opening_and_parking_leaves_nothing_behind(forms: Any, server: Any) -> None:
    task = forms.start("from jupyter_workflows.forms import read", "read('Who?')")
    folder = forms.task_folder(task)

    def once() -> None:
        form = forms.open(task)
        form.until_open()
        form.close()
        assert server.post(f"tasks/{task}/release")["state"] == "waiting"

    def held() -> tuple[int, int, int]:
        runner = psutil.Process(server.runner()["pid"])
        files = sum(1 for file in folder.rglob("*") if file.is_file())
        return psutil.Process(server.process.pid).num_fds(), runner.num_fds(), files

    once()
    before = held()
    for _ in range(6):
        once()
    after = held()
    assert after[0] <= before[0] + 5  # connections that are being closed
    assert after[1] <= before[1] + 5
    assert after[2] <= before[2] + 1  # a page that is half filled in


def test_a_form_without_input_is_closed(forms: Any, server: Any) -> None:
    task = forms.start("from jupyter_workflows.forms import read", "read('Who?')")
    form = forms.open(task)
    form.until_open()
    status, problem = server.request("POST", "tasks/00000000000000000000/open")
    assert status == 404, problem
    assert forms.server.get(f"tasks/{task}")["opened_by"]
