"""Gives Schemathesis users to act on and as: generated ids would be 404, and that all that is ever seen."""

import json
import os
import re
import secrets
import urllib.request
import uuid

import schemathesis

URL = os.environ["MUSTER_URL"]
CODE = os.environ["MUSTER_FIXED_CODE"]
PASSWORD = "correct horse battery"  # As in the document's examples.

me = None  # Who calls.
waiting = None  # Who has not verified yet.
deleted = str(uuid.uuid4())  # Who can be restored, once somebody has been deleted.
made = set()  # The ids of all addresses.
keys = set()
ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def post(path, body, headers={}):
    headers = {"Content-Type": "application/json", **headers}
    request = urllib.request.Request(URL + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


def sign_up():
    email = f"schemathesis-{secrets.token_hex(8)}@example.com"
    return post("/v1/users", {"email": email, "password": PASSWORD, "name": "Schemathesis"})["id"]


def bearer():
    return f"Bearer {me['access_token']}"


@schemathesis.auth(refresh_interval=None)
class AccessToken:
    def get(self, case, context):
        global me
        if me is None:
            me = post(f"/v1/users/{sign_up()}/verification", {"code": CODE})
        return bearer()

    def set(self, case, data, context):
        case.headers["Authorization"] = data


@schemathesis.hook
def before_call(context, case, kwargs):
    name_user(case)
    name_address(case)
    use_key_once(case)
    if isinstance(case.body, dict) and str(case.body.get("refresh_token")).startswith("eyJ") and me:
        case.body["refresh_token"] = me["refresh_token"]


def name_user(case):
    global waiting
    user = case.path_parameters.get("user")
    if user is None:
        return
    if not case.operation.path.endswith(("/verification", "/verification/resend", "/restoration")):
        case.path_parameters["user"] = "me"
    elif ID.fullmatch(str(user)):
        waiting = waiting or sign_up()
        case.path_parameters["user"] = deleted if case.operation.path.endswith("/restoration") else waiting


def name_address(case):
    """In the place of one that never was."""
    address = case.path_parameters.get("address")
    if address is None or address in made or not ID.fullmatch(str(address)) or me is None:
        return
    address = post("/v1/users/me/addresses", {"alias": "Home"}, {"Authorization": bearer()})["id"]
    case.path_parameters["address"] = address
    made.add(address)


def use_key_once(case):
    """A good Idempotency-Key goes along once a route: used again, with another body, it would be 422 and no more."""
    key = case.headers.get("Idempotency-Key")
    if key is not None and re.fullmatch("[!-~]{1,255}", key):
        if (case.operation.label, key) in keys:
            del case.headers["Idempotency-Key"]
        keys.add((case.operation.label, key))


@schemathesis.hook
def after_call(context, case, response):
    """Whoever has signed out, been deleted or verified is replaced by somebody new."""
    global me, waiting, deleted
    label, status = case.operation.label, response.status_code
    if label == "POST /v1/users/{user}/verification" and status == 200:
        waiting = None
    if label == "POST /v1/users/{user}/addresses" and status == 201:
        made.update(address["id"] for address in response.json().get("data", [response.json()]))
    if me is None or response.request.headers.get("Authorization") not in (bearer(), bearer().encode()):
        return
    if label == "DELETE /v1/users/{user}" and status == 204:
        deleted = me["user_id"]
    if status == 401 or (status == 204 and label in ("POST /v1/auth/logout", "DELETE /v1/users/{user}")):
        me = None
