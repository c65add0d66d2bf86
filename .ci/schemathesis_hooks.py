"""Gives Schemathesis a user of its own, and another one once it has deleted that or signed it out."""

import json
import os
import re
import secrets
import urllib.request

import schemathesis

URL = os.environ["MUSTER_URL"]
CODE = os.environ["MUSTER_FIXED_CODE"]
token = None
keys = set()


def post(path, body):
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(URL + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


def sign_up():
    email = f"schemathesis-{secrets.token_hex(8)}@example.com"
    user = post("/v1/users", {"email": email, "password": "correct horse battery", "name": "Schemathesis"})
    return post(f"/v1/users/{user['id']}/verification", {"code": CODE})["access_token"]


@schemathesis.auth(refresh_interval=None)
class AccessToken:
    def get(self, case, context):
        global token
        if token is None:
            token = sign_up()
        return token

    def set(self, case, data, context):
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def before_call(context, case, kwargs):
    """A good Idempotency-Key goes along once a route: used again, with another body, it would be 422 and no more."""
    key = case.headers.get("Idempotency-Key")
    if key is not None and re.fullmatch("[!-~]{1,255}", key):
        if (case.operation.label, key) in keys:
            del case.headers["Idempotency-Key"]
        keys.add((case.operation.label, key))


@schemathesis.hook
def after_call(context, case, response):
    """What ends the session answers 204; what comes too late is told 401."""
    global token
    sent = response.request.headers.get("Authorization")
    ended = response.status_code == 401 or (
        response.status_code == 204 and case.operation.label in ("POST /v1/auth/logout", "DELETE /v1/users/{user}")
    )
    if ended and sent in (f"Bearer {token}", f"Bearer {token}".encode()):
        token = None
