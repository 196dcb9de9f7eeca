"""What a campaign did and found, for people and for programs."""

from __future__ import annotations

from collections import Counter
from typing import Any

from .campaign import Campaign
from .invariants import between_intent_and_result


def figures(campaign: Campaign, anomalies: list[str]) -> dict[str, Any]:
    """Return what a campaign did, and what is wrong after it."""
    done = campaign.figures
    runs: dict[str, Counter[str]] = {}
    attempts: Counter[str] = Counter()
    stage_runs = 0
    for run in done.runs:
        details = campaign.store.get_run(run.id, data=False)
        runs.setdefault(run.kind.name, Counter())[str(details.run.state)] += 1
        stage_runs += len(details.stage_runs)
        attempts.update(str(found.state) for those in details.attempts.values() for found in those)
    callers = campaign.live.callers
    answers: Counter[str] = Counter()
    for caller in callers:
        answers.update(caller.answers)
    return {
        "database": campaign.settings.url.partition(":")[0],
        "seed": campaign.settings.seed,
        "seconds": round(done.seconds, 1),
        "kills": done.by_victim(),
        "kills_at_a_gate": sum(kill.gate is not None for kill in done.kills),
        "once_interrupted": between_intent_and_result(campaign),
        "once_resolved": dict(done.resolved),
        "runs": {name: dict(counts) for name, counts in sorted(runs.items())},
        "stage_runs": stage_runs,
        "attempts": dict(sorted(attempts.items())),
        "effects": sum(campaign.workload.effects().values()),
        "forms_parked": done.parked,
        "forms_answered": done.answered,
        "crash_loops": done.crash_loops,
        "retried_by_hand": dict(done.retried),
        "runners_started": done.runners_started,
        "servers_started": done.servers_started,
        "calls": dict(sorted(answers.items())),
        "orders": sum(len(caller.orders) for caller in callers),
        "anomalies": anomalies,
    }


def text(found: dict[str, Any]) -> str:
    """Return the figures as lines."""
    lines = []
    for name, value in found.items():
        if name == "anomalies":
            continue
        shown = (
            ", ".join(f"{key} {count}" for key, count in value.items()) if isinstance(value, dict) else value
        )
        lines.append(f"{name.replace('_', ' '):>20}  {shown}")
    anomalies = found["anomalies"]
    lines.append(f"{'anomalies':>20}  {len(anomalies) or 'none'}")
    lines += [f"  - {anomaly}" for anomaly in anomalies]
    return "\n".join(lines)
