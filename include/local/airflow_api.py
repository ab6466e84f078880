"""The little of Airflow's REST API that the stack and its demo use."""

from __future__ import annotations

import json
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

_open = build_opener(ProxyHandler({})).open  # the stack is on this machine, whatever the proxy settings


def call(url: str, method: str = "GET", body: object = None, token: str | None = None) -> Any:
    """
    One JSON request; what it answers, None for an empty body.

    :raises OSError: nothing listens there, or the HTTP status is an error (HTTPError)
    """
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data, headers, method=method)  # noqa: S310 - the stack's own http address
    with _open(request, timeout=30) as response:
        text = response.read()
    return json.loads(text) if text else None


class AirflowApi:
    """
    A logged-in client.

    :param url: the api-server's address
    """

    def __init__(self, url: str, login: str, password: str) -> None:
        self._url = f"{url}/api/v2"
        credentials = {"username": login, "password": password}
        self._token = call(f"{url}/auth/token", "POST", credentials)["access_token"]

    def get(self, path: str) -> Any:
        """What is at this path; None when there is no such thing."""
        try:
            return call(self._url + path, token=self._token)
        except HTTPError as error:
            if error.code == 404:
                return None
            raise

    def send(self, method: str, path: str, body: object) -> Any:
        """Change something."""
        return call(self._url + path, method, body, self._token)
