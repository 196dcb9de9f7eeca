"""How fast the canvas is: 1,000 stages and 1,500 transitions, in a real JupyterLab and Chromium.

Beside it: bare React Flow, with plain nodes and edges, on the same graph. Time is that of the page's main
thread, from Chromium's own trace: ``task`` is the longest task, ``script`` what JavaScript takes in a frame.
On a machine that does other things too, processor time is what counts; the clock is given beside it.
"""

from __future__ import annotations

import json
import math
import random
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from measuring import options
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright
from support.browsers import launch
from support.lab import lab_server

_FRONT_END = Path(__file__).parents[2] / "labextension"
_COLUMNS = 40
_STEP = (320, 112)

_CATEGORIES = ",".join(
    [
        "toplevel",
        "devtools.timeline",
        "v8",
        "disabled-by-default-devtools.timeline",
        "disabled-by-default-v8.compile",
    ]
)
#: Trace events in which JavaScript runs.
_SCRIPT = {
    "FunctionCall",
    "EvaluateScript",
    "FireAnimationFrame",
    "EventDispatch",
    "TimerFire",
    "RunMicrotasks",
    "v8.callFunction",
    "V8.GCScavenger",
    "MajorGC",
    "MinorGC",
}

_BARE = """
import { createElement, useEffect } from 'react';
import { createRoot } from 'react-dom/client';
import { flushSync } from 'react-dom';
import { Background, MiniMap, ReactFlow, useEdgesState, useNodesState } from '@xyflow/react';
import '@xyflow/react/dist/style.css';

function Bare({ graph }) {
  const [nodes, setNodes, onNodesChange] = useNodesState(graph.nodes);
  const [edges, , onEdgesChange] = useEdgesState(graph.edges);
  useEffect(() => {
    window.setNodes = change => flushSync(() => setNodes(change));
  }, [setNodes]);
  return createElement(
    ReactFlow,
    { nodes, edges, onNodesChange, onEdgesChange, fitView: true, minZoom: 0.05, snapToGrid: true,
      snapGrid: [8, 8], panOnScroll: true },
    createElement(Background),
    createElement(MiniMap)
  );
}

window.show = graph => createRoot(document.getElementById('root')).render(createElement(Bare, { graph }));
"""

_PAGE = """<!doctype html><style>html,body,#root{margin:0;height:100%}</style><div id="root"></div>
<script type="module" src="./main.jsx"></script>"""


def graph(stages: int, transitions: int) -> dict[str, Any]:
    """Return a document: rows of stages, each connected to the next, and some more arrows."""
    chance = random.Random(7)
    document: dict[str, Any] = {
        "format": 1,
        "uid": "00000000-0000-4000-8000-000000000001",
        "title": "Many",
        "stages": {},
        "transitions": {},
    }
    types = ["script", "form", "hook"]
    for place in range(stages):
        row, column = divmod(place, _COLUMNS)
        document["stages"][f"s{place}"] = {
            "type": types[place % 3],
            "path": f"stage-{place}",
            "title": f"Stage number {place}",
            "notebook": f"stages/stage-{place}.ipynb",
            "position": [column * _STEP[0], row * _STEP[1]],
        }
    pairs = [(place, place + 1) for place in range(stages - 1) if (place + 1) % _COLUMNS]
    while len(pairs) < transitions:
        source = chance.randrange(stages)
        target = source + chance.choice([_COLUMNS + 1, 1 - _COLUMNS, 2 * _COLUMNS + 1, 2])
        if 0 <= target < stages:
            pairs.append((source, target))
    for place, (source, target) in enumerate(pairs[:transitions]):
        transition: dict[str, Any] = {"source": f"s{source}", "target": f"s{target}"}
        if place % 5 == 4:
            transition["condition"] = f"amount > {place}"
        if place % 17 == 16:
            transition["on"] = "failed"
        document["transitions"][f"t{place}"] = transition
    return document


class Trace:
    """What happens on the main thread while something is done."""

    def __init__(self, page: Page) -> None:
        self._session: CDPSession = page.context.new_cdp_session(page)
        self._page = page

    def of(self, work: Callable[[], None]) -> dict[str, float]:
        """Return the figures of some work."""
        events: list[dict[str, Any]] = []
        self._session.on("Tracing.dataCollected", lambda data: events.extend(data["value"]))
        ended: list[bool] = []
        self._session.on("Tracing.tracingComplete", lambda _: ended.append(True))
        self._session.send("Tracing.start", {"categories": _CATEGORIES, "transferMode": "ReportEvents"})
        work()
        self._session.send("Tracing.end")
        while not ended:
            self._page.evaluate("() => new Promise(requestAnimationFrame)")
        return figures(events)


def figures(events: list[dict[str, Any]]) -> dict[str, float]:
    """Return the longest task and the script of frames, in milliseconds."""
    names = {
        (event["pid"], event["tid"]): event["args"]["name"]
        for event in events
        if event.get("name") == "thread_name"
    }
    scripts: dict[tuple[int, int], int] = {}
    for event in events:
        if event.get("name") in _SCRIPT:
            thread = (event["pid"], event["tid"])
            scripts[thread] = scripts.get(thread, 0) + 1
    mains = [thread for thread in scripts if names.get(thread) == "CrRendererMain"]
    main = max(mains, key=lambda thread: scripts[thread])
    own = [event for event in events if (event["pid"], event["tid"]) == main and event.get("ph") == "X"]
    tasks = [event for event in own if event["name"] in ("RunTask", "ThreadControllerImpl::RunTask")]
    script = list(_outermost([event for event in own if event["name"] in _SCRIPT]))
    # A frame ends when what it changed is handed to the compositor.
    ends = sorted(event["ts"] for event in own if event["name"] == "Commit")
    frames: dict[int, float] = {}
    place = 0
    for event in script:
        while place < len(ends) and ends[place] <= event["ts"]:
            place += 1
        frames[place] = frames.get(place, 0) + event.get("tdur", event["dur"]) / 1000
    sums = sorted(value for value in frames.values() if value > 0.05) or [0.0]
    return {
        "task": max((event.get("tdur", event["dur"]) for event in tasks), default=0) / 1000,
        "task_clock": max((event["dur"] for event in tasks), default=0) / 1000,
        "script_p50": sums[len(sums) // 2],
        "script_p95": sums[min(len(sums) - 1, math.floor(len(sums) * 0.95))],
        "frames": len(sums),
    }


def _outermost(events: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield events that lie in no other."""
    end = -1.0
    for event in sorted(events, key=lambda one: (one["ts"], -one["dur"])):
        if event["ts"] >= end:
            end = event["ts"] + event["dur"]
            yield event


def drive(
    page: Page, trace: Trace, x: float, y: float, pane: tuple[float, float]
) -> Iterator[tuple[str, dict]]:
    """Pan, then drag what is selected, by the pointer."""

    def pan() -> None:
        page.mouse.move(*pane)
        page.mouse.down()
        for step in range(60):
            page.mouse.move(pane[0] - 4 * step, pane[1] + 2 * step)
        page.mouse.up()

    def drag() -> None:
        page.mouse.move(x, y)
        page.mouse.down()
        for step in range(60):
            page.mouse.move(x + 3 * step, y + 2 * step)
        page.mouse.up()
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))")

    yield "drag 200 cards", trace.of(drag)
    yield "pan", trace.of(pan)


def measure_canvas(browser: Browser, document: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Measure our canvas in JupyterLab."""
    results: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder, lab_server(Path(folder)) as lab:
        (lab.root / "many.workflow").write_text(json.dumps(document))
        (lab.root / "small.workflow").write_text("")
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        lab.open(page, "small.workflow")
        page.locator(".jp-Workflows-canvas").wait_for()
        trace = Trace(page)
        painted: list[float] = []

        def open_it() -> None:
            painted.append(
                page.evaluate(
                    """async count => {
                      const app = window.jupyterapp;
                      const widget = await app.commands.execute('docmanager:open', { path: 'many.workflow' });
                      await widget.context.ready;
                      const start = performance.now();
                      const there = () => widget.node.querySelectorAll('[data-stage]').length >= count;
                      while (!there()) await new Promise(requestAnimationFrame);
                      await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
                      return performance.now() - start;
                    }""",
                    len(document["stages"]),
                )
            )

        results["open"] = trace.of(open_it) | {"painted": painted[0]}
        page.wait_for_function("() => window.jupyterapp.shell.currentWidget.context.path === 'many.workflow'")
        keys = list(document["stages"])[200:400]
        page.evaluate(
            """keys => window.jupyterapp.shell.currentWidget.content.editor.selection.set(
                 keys.map(key => ({ kind: 'stages', key })))""",
            keys,
        )
        card = page.locator('[data-stage="s210"]').bounding_box()
        root = page.locator(".jp-Workflows-canvas:has([data-stage])").bounding_box()
        assert card and root
        x, y = card["x"] + card["width"] / 2, card["y"] + card["height"] / 2
        results.update(
            drive(page, trace, x, y, (root["x"] + root["width"] / 2, root["y"] + root["height"] - 20))
        )

        def edit() -> None:
            page.evaluate(
                """async () => {
                  const { document } = window.jupyterapp.shell.currentWidget.content.editor;
                  for (let i = 0; i < 30; i++) {
                    await new Promise(requestAnimationFrame);
                    document.edit(draft => draft.patch('stages', `s${i}`, { title: `Other ${i}` }));
                    await new Promise(requestAnimationFrame);
                  }
                }"""
            )

        results["edit"] = trace.of(edit)
        page.close()
    return results


def bare_page(folder: Path) -> Path:
    """Build a page with React Flow alone."""
    (folder / "main.jsx").write_text(_BARE)
    (folder / "index.html").write_text(_PAGE)
    (folder / "node_modules").symlink_to(_FRONT_END / "node_modules")
    subprocess.run(
        [_FRONT_END / "node_modules/.bin/vite", "build", "--base", "./", "--logLevel", "error"],
        cwd=folder,
        check=True,
    )
    page = folder / "dist" / "index.html"
    # A page from a file may not load modules.
    page.write_text(page.read_text().replace('type="module" crossorigin', "defer"))
    return page


def measure_bare(browser: Browser, document: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Measure React Flow on the same graph, with its own nodes and edges."""
    nodes = [
        {
            "id": key,
            "position": dict(zip("xy", stage["position"], strict=True)),
            "data": {"label": stage["title"]},
            "width": 224,
            "height": 64,
            "sourcePosition": "right",
            "targetPosition": "left",
        }
        for key, stage in document["stages"].items()
    ]
    edges = [
        {
            "id": key,
            "source": transition["source"],
            "target": transition["target"],
            "type": "smoothstep",
            **({"label": transition["condition"]} if "condition" in transition else {}),
        }
        for key, transition in document["transitions"].items()
    ]
    results: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(bare_page(Path(folder)).as_uri())
        page.wait_for_function("() => window.show")
        trace = Trace(page)
        painted: list[float] = []

        def show() -> None:
            painted.append(
                page.evaluate(
                    """async graph => {
                      const start = performance.now();
                      window.show(graph);
                      const seen = () => {
                        const nodes = document.querySelectorAll('.react-flow__node');
                        return nodes.length >= graph.nodes.length &&
                          document.querySelectorAll('.react-flow__edge').length >= graph.edges.length &&
                          nodes[0].style.visibility !== 'hidden';
                      };
                      while (!seen()) await new Promise(requestAnimationFrame);
                      await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
                      return performance.now() - start;
                    }""",
                    {"nodes": nodes, "edges": edges},
                )
            )

        results["open"] = trace.of(show) | {"painted": painted[0]}
        keys = list(document["stages"])[200:400]
        page.evaluate(
            """keys => { const set = new Set(keys); window.setNodes(nodes => nodes.map(
                 node => set.has(node.id) ? { ...node, selected: true } : node)) }""",
            keys,
        )
        box = page.locator('[data-id="s210"]').bounding_box()
        assert box
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        results.update(drive(page, trace, x, y, (720, 880)))
        after = page.locator('[data-id="s210"]').bounding_box()
        if after == box:
            print("React Flow did not follow the pointer: its figures of dragging and panning say nothing.")

        def edit() -> None:
            page.evaluate(
                """async () => {
                  for (let i = 0; i < 30; i++) {
                    await new Promise(requestAnimationFrame);
                    window.setNodes(nodes => nodes.map(node => node.id === `s${i}`
                      ? { ...node, data: { label: `Other ${i}` } } : node));
                    await new Promise(requestAnimationFrame);
                  }
                }"""
            )

        results["edit"] = trace.of(edit)
        page.close()
    return results


def main() -> None:
    """Measure both, and print what came out."""
    arguments = options(__doc__, stages=1000, transitions=1500)
    document = graph(arguments.stages, arguments.transitions)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        ours = measure_canvas(browser, document)
        bare = measure_bare(browser, document)
        browser.close()
    if arguments.json:
        print(json.dumps({"canvas": ours, "react-flow": bare}, indent=2))
        return
    print(f"{arguments.stages} stages, {arguments.transitions} transitions; milliseconds of processor time")
    print(f"{'':16}{'':12}{'task':>8}{'(clock)':>9}{'script p50':>12}{'p95':>8}{'frames':>8}{'painted':>9}")
    for name in ours:
        for what, result in (("canvas", ours[name]), ("React Flow", bare[name])):
            print(
                f"{name:16}{what:12}{result['task']:8.1f}{result['task_clock']:9.1f}"
                f"{result['script_p50']:12.2f}{result['script_p95']:8.2f}{result['frames']:8}"
                + (f"{result['painted']:9.0f}" if "painted" in result else "")
            )
    print("Elyra's canvas is not measured: @elyra/canvas needs React 17 and Carbon 10 in a page of its own.")


if __name__ == "__main__":
    main()
