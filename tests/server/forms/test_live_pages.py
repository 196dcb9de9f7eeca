"""What happens on a page while somebody fills it in."""

from __future__ import annotations

from typing import Any


def test_fields_come_and_go_with_the_answers(forms: Any) -> None:
    task = forms.start(
        "from jupyter_workflows import get_stage\nfrom jupyter_workflows.forms import Page, Fields",
        "answers = (Page('Trip').read_dropdown('How', ['car', 'train']).read('Why')\n"
        "  .depends(lambda so_far: Fields().read_number('Kilometres') if so_far['How'] == 'car' else None)\n"
        "  .run())",
        "get_stage()['answers'] = dict(answers)",
    )
    form = forms.open(task)
    form.until_open("Trip")
    why = form.field("Why")
    form.update(why, value="Visit")
    form.update(form.field("How"), index=1)
    form.until(lambda: form.form["revision"] == 1)
    assert form.field("Why") == why  # the same widget, with what was typed
    form.update(form.field("Kilometres"), value="12")
    form.update(form.field("How"), index=2)
    form.until(lambda: form.form["revision"] == 2)
    form.update(form.field("How"), index=1)
    form.until(lambda: form.form["revision"] == 3)
    form.update(form.field("Kilometres"), value="30")
    form.press("Submit")
    assert forms.data()["answers"] == {"How": "car", "Why": "Visit", "Kilometres": 30}


def test_rows_are_added_and_removed(forms: Any) -> None:
    task = forms.start(
        "from jupyter_workflows import get_stage\nfrom jupyter_workflows.forms import Page, Fields",
        "answers = Page('Lines').read_list('Lines', Fields().read('Item'), min=1, add_text='Add').run()",
        "get_stage()['lines'] = [dict(row) for row in answers.Lines]",
    )
    form = forms.open(task)
    form.until_open("Lines")
    form.update(form.field("Item"), value="Paper")
    form.press("Add")
    form.until(lambda: form.form["revision"] == 1)
    empty = next(model for model in form.form["inputs"] if form.states[model].get("value") != "Paper")
    form.update(empty, value="Ink")
    form.press("Submit")
    assert forms.data()["lines"] == [{"Item": "Paper"}, {"Item": "Ink"}]


def test_the_authors_own_widgets_and_progress(forms: Any) -> None:
    task = forms.start(
        "import ipywidgets\nfrom jupyter_workflows import get_stage\n"
        "from jupyter_workflows.forms import read_widget, submit, progress",
        "dial = read_widget('Dial', ipywidgets.IntSlider(max=50))\nprogress('Thinking', 0.5)",
        "box = ipywidgets.VBox([name := ipywidgets.Text(description='Name')])\nbutton = submit(box)",
        "get_stage().update(dial=dial, name=name.value, button=button)",
    )
    form = forms.open(task)
    form.until_open()
    form.update(form.find("IntSliderModel"), value=33)
    form.press("Submit")
    form.until(lambda: form.form["position"] == 1)
    form.until_open()
    said = [content for _, _, content in form.messages if "Thinking" in str(content)]
    assert said
    form.update(form.find("TextModel", description="Name"), value="Anna")
    form.press("Submit")
    data = forms.data()
    assert (data["dial"], data["name"], data["button"]) == (33, "Anna", "Submit")
