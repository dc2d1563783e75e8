"""The operations of the ACC as a table: what is typed, what the control plane is asked, what the card says."""

from __future__ import annotations

from typing import Any, NamedTuple

KEY = "server-key-not-a-secret"


class Case(NamedTuple):
    """`text`, `path` and `card` may name the ids of a Place. `body` None: there is none; bytes: exactly these; else JSON."""

    name: str
    text: str
    method: str
    path: str
    query: str = ""
    body: Any = None
    card: tuple[str, ...] = ()
    danger: bool = False


START = "/api/agent/{agent}/cluster/start"


METHODS = ("Restart", "Continue", "ContinueRefreshAgent", "ContinueAndRetryErrors", "New")


MARKS = (
    ("never-run", "Never Run"),
    ("in-progress", "In Progress"),
    ("in-progress-with-failure", "In Progress With Failure"),
    ("succeeded", "Succeeded"),
    ("failure", "Failed"),
    ("failed", "Failed"),
)


CHECK = {"key": KEY, "ipAddress": "10.20.0.11", "port": 8004, "useSsl": False, "serverRefresh": True}


CASES = (
    Case(
        "1 agent details",
        "status acc:{place}",
        "GET",
        "/api/agent",
        "agentPath={place}",
        card=("Failed", "2 pages failed", "2 of 2 on"),
    ),
    Case("2 start", "run acc:{place}", "POST", START, body={}, card=("start acc:{place}",)),
    Case(
        "2 start with every field",
        'start acc:{place} session="s 1" log_level=3 production=false input.region=north input.name2="a \\"b\\" ü" '
        "files=input1.csv,input2.csv delete_files=true -- the monthly check",
        "POST",
        START,
        body={
            "sessionId": "s 1",
            "logLevel": 3,
            "isProductionRun": False,
            "inputParameters": '{"region":"north","name2":"a \\"b\\" ü"}',
            "inputFiles": ["input1.csv", "input2.csv"],
            "isDeleteInputFilesOnCompleted": True,
        },
        card=("start acc:{place}", "the monthly check", "north"),
    ),
    Case(
        "2 start in several sessions, waiting",
        "start acc:{place} sessions=true sync=true timeout=30s",
        "POST",
        START,
        body={"useMultipleSessions": True, "isSynchronous": True, "synchronousTimeout": 30},
        card=("start acc:{place}",),
    ),
    Case(
        "2 start for plain data",
        "start acc:{place} sync=true timeout=1m delivery=plain",
        "POST",
        START,
        body={"isSynchronous": True, "synchronousTimeout": 60, "synchronousDataDelivery": "Plain"},
        card=("start acc:{place}", "its data is attached"),
    ),
    Case(
        "2 start for zipped data",
        "start acc:{place} sync=true delivery=zip",
        "POST",
        START,
        body={"isSynchronous": True, "synchronousTimeout": 60, "synchronousDataDelivery": "Zip"},
        card=("start acc:{place}", "its data is attached"),
    ),
    Case("3 restart", "restart acc:run/{run}", "POST", "/api/run/{run}/restart", card=("restart acc:{place}",)),
    Case(
        "4 retry",
        "rerun acc:run/{run}",
        "POST",
        "/api/run/{run}/retry",
        "RunMethod=ContinueAndRetryErrorsRefreshAgent",
        card=("retry acc:{place}",),
    ),
    *(
        Case(
            f"4 retry {method}",
            f"retry acc:{{place}}@failed method={method}",
            "POST",
            "/api/run/{run}/retry",
            f"RunMethod={method}",
            card=("retry acc:{place}", method),
        )
        for method in METHODS
    ),
    Case("5 run details", "status acc:run/{run}", "GET", "/api/run/{run}", card=("Failed", "2 pages failed")),
    Case(
        "6 run history",
        "history acc:{place} count=7",
        "GET",
        "/api/agent/{agent}/history",
        "count=7",
        card=("The latest 2 runs of {place}: 1 succeeded, 1 failed.", "run/{run}"),
    ),
    Case(
        "7 start job",
        "start acc:{place} as=job session=s1 log_level=0 production=false input.a=1 files=input1.csv delete_files=true",
        "POST",
        "/api/job/{agent}/start",
        body={
            "sessionId": "s1",
            "logLevel": 0,
            "isProductionRun": False,
            "inputParameters": '{"a":"1"}',
            "inputFiles": ["input1.csv"],
            "isDeleteInputFilesOnCompleted": True,
        },
        card=("start acc:{place}",),
    ),
    Case("8 job run details", "status acc:jobrun/{job}", "GET", "/api/job/run/{job}", card=("Succeeded", "Job run")),
    Case(
        "9 job run history",
        "history acc:{place} as=job count=2",
        "GET",
        "/api/job/{agent}/history",
        "count=2",
        card=("The latest job run of {place} succeeded.", "jobrun/{job}"),
    ),
    Case(
        "10 runs of a job run",
        "history acc:jobrun/{job} count=3",
        "GET",
        "/api/agent/{agent}/run/1/history",
        "count=3",
        card=("The latest run of job run 1 of {place} succeeded.",),
    ),
    Case(
        "11 schedules",
        "schedules acc:{place}",
        "GET",
        "/api/job/{agent}/schedules",
        card=("2 schedules, 2 of them on", "schedule/", "AUS Eastern Standard Time"),
    ),
    Case(
        "12 update a schedule",
        'schedule set acc:{place} id={schedule} cron="0 0 7 * * 1-5" start=2026-07-16T11:21:20 zone=Europe/Berlin '
        "session=s1 input.par1=2000 log_level=2 windowless=false enabled=false",
        "POST",
        "/api/job/{agent}/schedule",
        body={
            "scheduleId": "{schedule}",
            "cron": "0 0 7 * * 1-5",
            "sessionId": "s1",
            "startTime": "2026-07-16T11:21:20",
            "timeZoneId": "W. Europe Standard Time",
            "inputParameters": '{"par1":"2000"}',
            "logLevel": 2,
            "isWindowless": False,
            "isEnabled": False,
        },
        card=("A schedule of {place} was changed",),
    ),
    Case(
        "13 delete a schedule",
        "schedule delete acc:schedule/{schedule}",
        "DELETE",
        "/api/job/schedule/{schedule}",
        card=("The schedule", "is deleted"),
        danger=True,
    ),
    Case(
        "14 delete all schedules",
        "schedule delete acc:{place}",
        "DELETE",
        "/api/job/{agent}/schedules",
        card=("All schedules of {place} are deleted",),
        danger=True,
    ),
    Case(
        "15 start a schedule",
        "schedule start acc:schedule/{schedule}",
        "POST",
        "/api/job/schedule/{schedule}/start",
        card=("schedule start acc:{place}",),
    ),
    Case(
        "16 switch a schedule off",
        "disable acc:schedule/{schedule}",
        "POST",
        "/api/job/schedule/{schedule}/off",
        card=("is off",),
    ),
    Case(
        "17 switch all off",
        "schedule off acc:{place}",
        "POST",
        "/api/job/{agent}/schedules/off",
        card=("All schedules of {place} are off",),
    ),
    Case(
        "18 switch a schedule on",
        "enable acc:schedule/{schedule}",
        "POST",
        "/api/job/schedule/{schedule}/on",
        card=("is on",),
    ),
    Case(
        "19 switch all on",
        "schedule on acc:{place}",
        "POST",
        "/api/job/{agent}/schedules/on",
        card=("All schedules of {place} are on",),
    ),
    *(
        Case(
            f"20 mark as {word}",
            f"mark acc:{{place}} as={word}",
            "POST",
            "/api/job/{agent}/status",
            body={"status": number},
            card=(f"is marked as {state}.",),
        )
        for number, (word, state) in enumerate(MARKS)
    ),
    Case("21 log of a run", "logs acc:run/{run}", "GET", "/api/run/{run}/log", card=("Log of {place}", "[redacted]")),
    Case(
        "22 logs of a job run",
        "log acc:jobrun/{job}",
        "GET",
        "/api/job/run/{job}/logs",
        card=("Log of {place}", "[redacted]"),
    ),
    Case(
        "23 data of a job run",
        "data acc:jobrun/{job}",
        "GET",
        "/api/job/run/{job}/backup",
        card=("Data of {place} is attached",),
    ),
    Case(
        "24 data of a run", "data acc:run/{run}", "GET", "/api/run/{run}/backup", card=("Data of {place} is attached",)
    ),
    Case(
        "25 CSV input",
        'input put acc:{place} name="in put&1.csv" text="URL,ü\nhttp://www.example.com?a=1&b=<2>"',
        "POST",
        "/api/input/agent/{agent}/csv",
        "name=in%20put%261.csv",
        body="URL,ü\nhttp://www.example.com?a=1&b=<2>".encode(),
        card=("has the input in put&amp;1.csv",),
    ),
    Case(
        "27 delete inputs",
        "input clear acc:{place}",
        "DELETE",
        "/api/input/agent/{agent}",
        card=("All input files of {place} are deleted",),
        danger=True,
    ),
    Case(
        "28 disable inputs",
        "input disable acc:{place}",
        "POST",
        "/api/input/agent/{agent}/disable",
        card=("All input files of {place} are disabled",),
        danger=True,
    ),
    Case(
        "29 server check",
        "health acc:server/server-1",
        "POST",
        "/api/server/check",
        body=CHECK,
        card=("Server server-1 answers", "2 % average"),
    ),
    Case(
        "30 disapprove",
        'agent disapprove acc:{place} because breaks the site\'s "terms"',
        "POST",
        "/api/agent/{agent}/toggleAgentApproval/True",
        body='breaks the site\'s "terms"',
        card=("{place} is no longer approved",),
        danger=True,
    ),
    Case(
        "31 approve",
        "agent approve acc:{place} -- reviewed by Lee",
        "POST",
        "/api/agent/{agent}/toggleAgentApproval/False",
        body="reviewed by Lee",
        card=("{place} is approved", "reviewed by Lee"),
    ),
)


READS = ("status", "history", "schedules", "log", "data", "health")
