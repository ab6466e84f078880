"""A worker: a keep-alive loop over http.client that writes nothing down. Arguments: host:port, token, first, count."""

from __future__ import annotations

import http.client
import json
import sys
import time
from typing import Any

from benchmarks.contacts import CAMPAIGN, OPERATION, comment
from benchmarks.workers import serve


def main() -> None:
    address, token, first, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    path = f"/api/v2/campaign.php?api=codify&type_campaign={CAMPAIGN[0]}&campaign_id={CAMPAIGN[1]}"
    headers = {"wolkvox-token": token, "wolkvox_server": OPERATION, "Content-Type": "application/json"}

    def work() -> dict[str, Any]:
        cpu = time.process_time()
        connection = http.client.HTTPConnection(address)
        coded = 0
        for n in range(first, first + count):
            body = {"cod_act": "141", "comment": comment(n), "customer_id": str(1_000_000_000 + n)}
            connection.request("PUT", path, json.dumps(body), headers)
            answer = json.loads(connection.getresponse().read())
            coded += answer["code"] == 202
        connection.close()
        return {"coded": coded, "cpu": time.process_time() - cpu}

    serve(work)


if __name__ == "__main__":
    main()
