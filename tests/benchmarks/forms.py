"""How long a person waits for a form, and what opening and closing many leaves behind.

From the click to the first painted field, in a real Chromium before a real JupyterLab: with a kernel from the
pool, and with one that is forked on demand. Then one task is opened and parked again and again; what the
server, the runner and their folders hold is counted before and after.

Nothing here is asserted.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(1, str(Path(__file__).parents[1]))

import psutil
from measuring import Report, options
from playwright.sync_api import Page, sync_playwright
from support.browsers import launch
from support.forms import FormClient
from support.lab import Lab, lab_server
from support.people import make_workflow, start
from support.servers import wait_for

CELLS = ("from jupyter_workflows.forms import Page", "Page('Ask').read('Who').read_number('Amount').run()")
TARGETS = {"warm": 250.0, "on demand": 900.0}

#: Opens a task, and resolves with the milliseconds until its first field is painted.
_OPEN = """
task => new Promise(resolve => {
  const began = performance.now();
  const look = () => {
    const input = [...document.querySelectorAll('.jp-Workflows-form input[type=text]')]
      .find(one => one.offsetParent !== null);
    input ? requestAnimationFrame(() => resolve(performance.now() - began)) : requestAnimationFrame(look);
  };
  look();
  window.jupyterapp.commands.execute('workflows:open-task', { task });
})
"""


def clicks(lab: Lab, page: Page, rounds: int) -> list[float]:
    """Return the milliseconds from the click to the first field, without the first one."""
    lab.open(page)
    taken = []
    for number in range(rounds + 1):
        folder = lab.root / f"project-{number}"
        make_workflow(folder, *CELLS)
        _, task = start(lab, folder)
        page.wait_for_timeout(1000)  # the pool fills up again, and the machine comes to rest
        taken.append(page.evaluate(_OPEN, task))
        page.evaluate("() => [...window.jupyterapp.shell.widgets('main')].forEach(one => one.close())")
        lab.post(f"tasks/{task}/release")
    print(f"  the first, which loads the front end: {taken[0]:.0f} ms", file=sys.stderr)
    return taken[1:]


def holdings(lab: Lab) -> dict[str, int]:
    """Return what the server and its runner hold."""
    assert lab.process is not None
    runner = psutil.Process(lab.runner()["pid"])
    server = psutil.Process(lab.process.pid)
    children = runner.children(recursive=True)
    return {
        "processes": len(children),
        "descriptors of the runner": runner.num_fds(),
        "threads of the runner": runner.num_threads(),
        "descriptors of the server": server.num_fds(),
        "memory of the runner, MiB": runner.memory_info().rss >> 20,
        "sockets in folders": sum(path.is_socket() for path in Path(tempfile.gettempdir()).glob("jwf-*/*")),
        "files": sum(1 for path in (lab.folder / "data").rglob("*") if path.is_file()),
    }


def park(lab: Lab, rounds: int) -> tuple[dict[str, int], dict[str, int]]:
    """Open and park a task many times; return what is held before and after."""
    folder = lab.root / "parking"
    make_workflow(folder, *CELLS)
    _, task = start(lab, folder)

    def once() -> None:
        client = FormClient(lab, lab.post(f"tasks/{task}/open")["session"])
        client.until_open()
        client.close()
        assert lab.post(f"tasks/{task}/release")["state"] == "waiting"

    for _ in range(3):
        once()
    before = holdings(lab)
    for number in range(rounds):
        once()
        if number % 50 == 49:
            print(f"  {number + 1} opened and parked", file=sys.stderr)
    wait_for(lambda: holdings(lab)["processes"] <= before["processes"] + 1, "kernels to end", 30)
    return before, holdings(lab)


def main() -> None:
    """Measure and print."""
    given = options(__doc__, rounds=9, parks=1000)
    report = Report(given)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as scratch:
        browser = launch(playwright)
        rows: list[Any] = []
        for name, pool in (("warm", 2), ("on demand", 0)):
            with lab_server(Path(scratch) / name, WorkflowsApp__runner_kernel_pool=str(pool)) as lab:
                lab.runner()
                page = browser.new_page()
                taken = clicks(lab, page, given.rounds)
                page.close()
                rows.append(
                    {
                        "kernel": name,
                        "median": round(statistics.median(taken)),
                        "lowest": round(min(taken)),
                        "highest": round(max(taken)),
                        "target": TARGETS[name],
                    }
                )
                if name == "warm" and given.parks:
                    before, after = park(lab, given.parks)
        browser.close()
    report.table("clicks", "From the click to the first painted field, in milliseconds", rows)
    if given.parks:
        title = f"What is held, before and after {given.parks} times opening and parking"
        report.table(
            "parking",
            title,
            [{"what": what, "before": before[what], "after": after[what]} for what in before],
        )
    report.close()


if __name__ == "__main__":
    main()
