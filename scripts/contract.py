"""Who schemathesis is, when it tries the server against openapi.yaml: for each operation an account of its
own that has practised, so that one operation can sign out or block somebody without the others noticing."""

import datetime
import ipaddress
import os
import uuid

import requests
import schemathesis

SERVER = os.environ["CONTRACT_SERVER"]


def practice(now):
    """Ten days of it, which opens sync; as the extension exports it."""
    sessions = []
    for day in reversed(range(10)):
        for sitting in (3, 2, 1):
            began = now - datetime.timedelta(days=day, minutes=30 * sitting)
            sessions.append({
                "id": f"sess-{day}-{sitting}",
                "startedAt": timestamp(began),
                "endedAt": timestamp(began + datetime.timedelta(minutes=10)),
                "activeMs": 600_000, "cycles": 40, "goalMinutes": 10, "goalBonusXP": 5,
            })
    return {
        "device": {"id": "laptop", "name": "Laptop", "timeZone": "UTC"},
        "takenAt": timestamp(now),
        "export": {"exportDate": timestamp(now), "breathMaster": {"meditation": {
            "totalXP": 45 * len(sessions), "currentStreak": 10, "longestStreak": 10,
            "totalMeditationTime": 600_000 * len(sessions), "sessions": sessions, "dailyChallenges": [],
        }}},
    }


def timestamp(moment):
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@schemathesis.auth(refresh_interval=600, cache_by_key=lambda case, context: case.operation.label)
class Practitioner:
    """A new one from an address of its own, so that no quota is anybody else's."""

    def get(self, case, context):
        number = uuid.uuid5(uuid.NAMESPACE_URL, case.operation.label).int
        address = str(ipaddress.IPv6Address((0x20010DB8 << 96) | (number >> 32)))

        def send(method, path, body=None):
            answer = requests.request(method, SERVER + path, json=body, headers=headers, timeout=10)
            answer.raise_for_status()
            return answer.json()

        headers = {"X-Forwarded-For": address}
        headers["Authorization"] = "Bearer " + send("POST", "/v1/auth/anonymous")["accessToken"]
        send("PATCH", "/v1/me", {
            "displayName": "Kestrel",
            "privacy": {"shareProgress": True, "shareStreaks": True, "showDetailedStats": True},
            "leaderboards": {
                "global": {"enabled": True, "statsSharing": "detailed"}, "friends": {"enabled": True},
            },
        })
        send("PUT", "/v1/sync/export", practice(datetime.datetime.now(datetime.timezone.utc)))
        return headers

    def set(self, case, headers, context):
        case.headers = {**(case.headers or {}), **headers}
