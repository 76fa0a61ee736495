"""The three checks as a team would write them first: FastAPI, one SQLite commit per request.

Not a straw man: uvloop, httptools, one process, the record chained by SHA-256, synchronous=FULL.
"""
import hashlib
import json
import os
import sqlite3
import time

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

app = FastAPI()
db = sqlite3.connect(os.environ["GATE_DB"], isolation_level=None)
db.execute("PRAGMA journal_mode = WAL")
db.execute("PRAGMA synchronous = FULL")
db.execute("CREATE TABLE IF NOT EXISTS audit (seq INTEGER PRIMARY KEY, record BLOB, chain BLOB)")

budgets = {f"service-{i}": 90.0 for i in range(1000)}
budgets["shop"] = 90.0
pending = 0
her_pct = 0.0
chain = b"\0" * 32


def check(service):
    """First failure wins."""
    budget = budgets.get(service)
    if budget is None or budget < 20:
        return "error_budget", "The error budget is too low: escalate."
    if pending > 3:
        return "aqdd", "Too many approvals are pending: hold."
    if her_pct > 15:
        return "her_trend", "The agent asks people too often: escalate."
    return None, "Proceed."


@app.post("/v1/actions")
async def propose(request: Request):
    global chain
    body = await request.json()
    if not isinstance(body.get("tool"), str) or not isinstance(body.get("parameters"), dict):
        return JSONResponse({"detail": "expected tool and parameters"}, status_code=422)
    blocking, recommendation = check(body["parameters"].get("service"))
    record = {"request": body, "gate_approved": blocking is None, "blocking_check": blocking,
              "signals": {"error_budget_pct": budgets.get(body["parameters"].get("service")),
                          "aqdd_depth": pending, "her_trend_pct": her_pct},
              "recommendation": recommendation, "checked_at": time.time()}
    text = json.dumps(record, separators=(",", ":")).encode()
    chain = hashlib.sha256(chain + text).digest()
    seq = db.execute("INSERT INTO audit (record, chain) VALUES (?, ?)", (text, chain)).lastrowid
    return JSONResponse({"action_id": f"act_{seq}", "verdict": "allow" if blocking is None else "hold",
                         "blocking_check": blocking, "recommendation": recommendation,
                         "digest": "sha256:" + chain.hex(), "signals": record["signals"],
                         "padding": "x" * 80}, status_code=201)
