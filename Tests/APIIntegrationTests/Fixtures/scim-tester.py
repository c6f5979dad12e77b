"""Runs scim2-tester against a server, and prints what isn't well: URL and key are its arguments."""

import sys

import httpx2
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import check_server
from scim2_tester import Status

url, key = sys.argv[1:]
client = httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {key}"})
results = check_server(SyncSCIMClient(client))
wrong = [result for result in results if result.status != Status.SUCCESS]
for result in wrong:
    print(result.status.name, result.title, result.reason, file=sys.stderr)
print(len(results), "checks,", len(wrong), "not well")
sys.exit(bool(wrong))
