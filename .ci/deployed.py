"""Calls a deployed stack as its clients do, and checks each answer: `deployed.py STACK open|closed|deleted|restored`.

AWS_ENDPOINT_URL names the emulator. `open` is a new stack, `closed` the same one with `SignUp=closed`, and `restored` another one
on its data. `deleted` prints what the stack has left: the table's name, and the parameters of another stack.
"""

import json
import os
import re
import sys
import time
import urllib.parse
from http.client import HTTPConnection
from typing import Any

import boto3

STACK = sys.argv[1]
ENDPOINT = urllib.parse.urlsplit(os.environ["AWS_ENDPOINT_URL"])
PASSWORD = "correct horse battery"
JSON = "application/json"


def read_outputs() -> dict[str, str]:
    stack = boto3.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


OUTPUTS = {} if sys.argv[2] == "deleted" else read_outputs()
API = urllib.parse.urlsplit(OUTPUTS.get("ApiUrl", ""))


class Answer:
    """A status, a media type, and a body: as JSON, if it is JSON."""

    def __init__(self, what: str, status: int, media: str, text: str) -> None:
        self.what, self.status, self.media, self.text = what, status, media, text
        self.body: Any = None
        if "json" in media and text:
            try:
                self.body = json.loads(text)
            except ValueError:
                sys.exit(f"deploy: {what} answered {status} with a body that is no JSON: {text[:2000]}")


def send(method: str, host: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
    # To the emulator's own address, since not every machine resolves the API's name.
    connection = HTTPConnection(ENDPOINT.hostname or "", ENDPOINT.port, timeout=60)
    connection.request(method, path, body, {"Host": host, **headers})
    answer = connection.getresponse()
    media = answer.headers.get_content_type()
    return Answer(f"{method} {path}", answer.status, media, answer.read().decode(errors="replace"))


def call(method: str, path: str, expected: int, body: Any = None, **headers: str) -> Answer:
    """Calls the stack's API, and fails where it answers another status."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    content = None if body is None else json.dumps(body).encode()
    if content is not None:
        named["Content-Type"] = JSON
    answer = send(method, API.netloc, path, content, named)
    check(answer, answer.status == expected, f"the status must be {expected}")
    return answer


def check(answer: Answer, condition: bool, rule: str) -> None:
    if not condition:
        sys.exit(f"deploy: {answer.what} answered {answer.status} {answer.text[:2000]}\ndeploy: {rule}.")


def read_code(to: str) -> str:
    """Returns the code that Cognito sent to an address; MiniStack keeps what it would send."""
    kept = send("GET", ENDPOINT.netloc, "/_ministack/ses/messages", None, {})
    messages = [one for account in kept.body["messages"].values() for one in account if to in one["To"]]
    check(kept, len(messages) == 1, f"one message must have been sent to {to}")
    codes = re.findall(r"\d{6}", messages[0]["BodyText"])
    check(kept, len(codes) == 1, "the message must have a code of six digits")
    return str(codes[0])


def until(path: str, token: str, key: str, value: Any) -> Answer:
    """Reads a thing until it has a value, for at most a minute."""
    for _ in range(120):
        answer = call("GET", path, 200, Authorization=token)
        if answer.body[key] == value:
            return answer
        time.sleep(0.5)
    check(answer, False, f"{key} must become {value} within a minute")
    return answer


def walk() -> str:
    """Signs up, verifies, logs in, and keeps an address; returns the token."""
    document = call("GET", "/openapi.json", 200)
    check(document, document.body["openapi"].startswith("3.1"), "the document must be OpenAPI 3.1")
    # MiniStack drops the slash of /docs/, which Muster would add again.
    page = call("GET", "/docs/index.html", 200)
    check(page, "swagger-ui" in page.text, "the page must be Swagger UI")
    missing = call("GET", "/v1/nothing", 404)
    check(missing, missing.media == "application/problem+json", "an unknown path must be answered by Muster itself")

    new = {"email": "ana@example.com", "name": "Ana", "password": PASSWORD}
    user = call("POST", "/v1/users", 201, new)
    check(user, user.body["status"] == "UNVERIFIED", "a new user must be UNVERIFIED")
    identity = user.body["id"]
    call("POST", f"/v1/users/{identity}/verification", 400, {"code": "000000"})
    verified = call("POST", f"/v1/users/{identity}/verification", 200, {"code": read_code(new["email"])})
    check(verified, "access_token" in verified.body, "verification must sign in")
    call("POST", "/v1/auth/login", 401, {"email": new["email"], "password": "another horse battery"})
    login = call("POST", "/v1/auth/login", 200, {"email": new["email"], "password": PASSWORD})
    check(login, login.body["user_id"] == identity, "the login must be the user's")
    token = f"Bearer {login.body['access_token']}"
    me = call("GET", "/v1/users/me", 200, Authorization=token)
    check(me, (me.body["id"], me.body["status"]) == (identity, "ACTIVE"), "the user must be ACTIVE")

    home = {"alias": "Home", "street": "Avenida Reforma", "zip_code": "06600", "latitude": 19.4270, "is_shipping": True}
    call("POST", "/v1/users/me/addresses", 401, home)
    address = call("POST", "/v1/users/me/addresses", 201, home, Authorization=token)
    addresses = call("GET", "/v1/users/me/addresses?page[size]=5", 200, Authorization=token)
    check(addresses, [one["id"] for one in addresses.body["data"]] == [address.body["id"]], "the address must be listed")
    refreshed = call("POST", "/v1/auth/refresh", 200, {"refresh_token": login.body["refresh_token"]})
    check(refreshed, "access_token" in refreshed.body, "a refresh must give an access token")
    return token


def fill_segment(token: str) -> dict[str, Any]:
    """Creates a segment with a membership, a member that is found by an answer, and a user who logs in."""
    segment = call("POST", "/v1/segments", 201, {"name": "Card users"}, Authorization=token).body
    club = call("POST", f"/v1/segments/{segment['id']}/memberships", 201, {"name": "Club"}, Authorization=token).body
    gold = {"name": "Gold", "number": 1, "from_point": 100, "to_point": 500}
    level = call("POST", f"/v1/memberships/{club['id']}/levels", 201, gold, Authorization=token).body
    field = {"key": "income", "name": "Income", "type": "number", "searchable": True}
    call("POST", f"/v1/memberships/{club['id']}/fields", 201, field, Authorization=token)
    new = {"name": "Émile", "last_name": "Zola", "answers": {"income": 30500.5}}
    member = call("POST", f"/v1/memberships/{club['id']}/members", 201, new, Authorization=token).body
    query = "filter[answers.income][gte]=30000&filter[name]=emi*"
    found = call("GET", f"/v1/memberships/{club['id']}/members?{query}", 200, Authorization=token)
    check(found, [one["id"] for one in found.body["data"]] == [member["id"]], "the member must be found")
    award = {"delta": 150, "reason": "Referred a friend"}
    call("POST", f"/v1/members/{member['id']}/points", 201, award, Authorization=token)
    until(f"/v1/members/{member['id']}", token, "level_id", level["id"])

    eva = {"email": "eva@example.com", "last_name": "Núñez", "operation_country": "CHL", "password": PASSWORD,
           "identification": {"type": "RUT", "value": "12.345.678-5"}}
    user = call("POST", f"/v1/segments/{segment['id']}/users", 201, eva, Authorization=token).body
    document = {"document": {"type": "RUT", "value": "123456785"}, "password": PASSWORD, "segment_id": segment["id"]}
    login = call("POST", "/v1/auth/login", 200, document)
    check(login, login.body["user_id"] == user["id"], "the login must be the user's")
    product = {"title": "Pottery", "reference_id": "123456789", "value": "499.90", "currency": "BRL"}
    call("POST", f"/v1/segments/{segment['id']}/products", 201, product, Authorization=token)
    return segment


def dialects(segment: dict[str, Any], token: str) -> None:
    """Calls each dialect with its own credentials."""
    key = {"name": "Dialects", "scopes": ["read", "write", "admin"]}
    of_segment = call("POST", f"/v1/segments/{segment['id']}/keys", 201, key, Authorization=token).body
    of_account = call("POST", "/v1/keys", 201, key, Authorization=token).body

    flows = call("POST", "/flows/login", 200, {"email": "ana@example.com", "password": PASSWORD})
    check(flows, "access_token" in flows.body, "flows must log in")

    developer = {"name": "Dev", "document": "123.456.789-10", "email": "dev@example.com", "phone": "+5511999999999",
                 "corporation_name": "Acme", "corporation_cnpj": "11222333000181", "app_name": "App",
                 "app_desc": "An app", "corporation_address": "Main street 1"}
    registered = call("POST", "/platform/register", 200, developer).body[0]
    generated = call("POST", "/platform/generate-token", 200, {"user_id": registered["id"]}).body
    headers = {"X_Developer_Token": generated["token"], "X_Platform_Token": of_segment["secret"]}
    students = {"product_id": ["123456789"], "users": [{"email": "student@example.com", "phone": "(11)99999-9999"}]}
    sold = call("POST", "/platform/users/create", 200, students, **headers)
    check(sold, (len(sold.body["created"]), sold.body["failed"]) == (1, []), "platform must create the student")

    request = {"client_id": of_segment["id"], "client_secret": of_segment["secret"],
               "grant_type": "client_credentials"}
    issued = call("POST", "/identity/oauth/token", 200, request).body
    bearer = f"Bearer {issued['access_token']}"
    cards = call("GET", "/identity/users/v1?filter[identification_value]=123456785", 200, Authorization=bearer)
    check(cards, len(cards.body["data"]) == 1, "identity must find the user by its document")

    bearer = f"Bearer {of_segment['secret']}"
    business = call("GET", "/b2b/User/getUser?page=1&pageSize=10", 200, Authorization=bearer)
    check(business, len(business.body["data"]) == 2, "b2b must list both users of the segment")
    changed = call("GET", "/b2b/User/updateFrom?date=2026-01-31", 200, Authorization=bearer, Accept="application/xml")
    check(changed, changed.text.startswith("<?xml"), "b2b must answer XML")

    headers = {"Api_id": of_account["id"], "Api_token": of_account["secret"], "Api_user": "Ana"}
    person = {"action": "create", "group_id": segment["number"], "doc": {"main_email": "leo@example.com"}}
    created = call("POST", "/calls/users/", 200, person, **headers)
    check(created, "leo@example.com" in created.text, "calls must create the person")


ROWS = b"email;name\nmax@example.com;Max\n"


def begin_upload(segment: dict[str, Any], token: str) -> Any:
    new = {"segment_id": segment["id"], "purpose": "import", "filename": "users.csv", "content_type": "text/csv",
           "size": len(ROWS)}
    return call("POST", "/v1/uploads", 201, new, Authorization=token).body


def send_file(upload: Any) -> Answer:
    url = urllib.parse.urlsplit(upload["url"])
    return send("PUT", url.netloc, f"{url.path}?{url.query}", ROWS, upload["headers"])


def allow_plain_http(segment: dict[str, Any], token: str) -> None:
    """Takes the bucket's policy away, which refuses plain HTTP, since this emulator speaks nothing else."""
    sent = send_file(begin_upload(segment, token))
    check(sent, sent.status == 403 and "explicit deny" in sent.text, "the bucket must take files by TLS only")
    boto3.client("s3").delete_bucket_policy(Bucket=OUTPUTS["BucketName"])


def import_file(segment: dict[str, Any], token: str) -> None:
    """Sends a table of users into the bucket, which tells `arrivals`, and has it imported by the state machine."""
    upload = begin_upload(segment, token)
    sent = send_file(upload)
    check(sent, sent.status == 200, "the bucket must take the file")
    until(f"/v1/uploads/{upload['id']}", token, "status", "AVAILABLE")

    new = {"upload_id": upload["id"], "format": "csv", "match": "email"}
    begun = call("POST", f"/v1/segments/{segment['id']}/imports", 201, new, Authorization=token).body
    until(f"/v1/segments/{segment['id']}/imports/{begun['id']}", token, "status", "COMPLETED")


def command(function: str, payload: dict[str, Any]) -> Answer:
    """Calls the function that an output names, as an operator does."""
    invoked = boto3.client("lambda").invoke(FunctionName=OUTPUTS[function], Payload=json.dumps(payload).encode())
    return Answer(payload["command"], invoked["StatusCode"], JSON, invoked["Payload"].read().decode())


def rotate() -> None:
    """Rotates the sealing secret."""
    answer = command("EventsFunctionName", {"command": "rotate_secret"})
    check(answer, answer.body == {"version": 2}, "the sealing secret must have version 2")


def closed() -> None:
    """Checks that the functions got a changed parameter, and that the data is still there."""
    new = {"email": "eve@example.com", "name": "Eve", "password": PASSWORD}
    refused = call("POST", "/v1/users", 403, new)
    check(refused, refused.body["code"] == "forbidden", "sign-up must be closed")
    call("POST", "/v1/auth/login", 200, {"email": "ana@example.com", "password": PASSWORD})


def deleted() -> None:
    """Checks that the stack is gone, with all but the table, the pool and the bucket."""
    left = {
        "functions": boto3.client("lambda").list_functions()["Functions"],
        "APIs": boto3.client("apigatewayv2").get_apis()["Items"],
        "roles": boto3.client("iam").list_roles()["Roles"],
        "log groups": boto3.client("logs").describe_log_groups()["logGroups"],
        "state machines": boto3.client("stepfunctions").list_state_machines()["stateMachines"],
        "queues": boto3.client("sqs").list_queues().get("QueueUrls", []),
        "tables": boto3.client("dynamodb").list_tables()["TableNames"],
        "pools": boto3.client("cognito-idp").list_user_pools(MaxResults=10)["UserPools"],
        "buckets": [one for one in boto3.client("s3").list_buckets()["Buckets"] if "muster" in one["Name"]],
    }
    numbers = {what: len(things) for what, things in left.items()}
    kept = {"tables": 1, "pools": 1, "buckets": 1}
    expected = {what: kept.get(what, 0) for what in left}
    if numbers != expected:
        sys.exit(f"deploy: after sam delete there must be {expected}, and there are {left}.")
    pool = boto3.client("cognito-idp").describe_user_pool(UserPoolId=left["pools"][0]["Id"])["UserPool"]["Arn"]
    print(left["tables"][0], f"ExistingUserPoolArn={pool}", f"ExistingBucketArn=arn:aws:s3:::{left['buckets'][0]['Name']}")


def restored() -> None:
    """Checks that a stack on existing data has that data, and that Cognito and S3 call its functions."""
    import_routes()
    login = call("POST", "/v1/auth/login", 200, {"email": "ana@example.com", "password": PASSWORD})
    token = f"Bearer {login.body['access_token']}"
    addresses = call("GET", "/v1/users/me/addresses", 200, Authorization=token)
    check(addresses, [one["alias"] for one in addresses.body["data"]] == ["Home"], "the address must have been restored")
    segments = call("GET", "/v1/segments", 200, Authorization=token)
    check(segments, [one["name"] for one in segments.body["data"]] == ["Card users"], "the segment must have been restored")
    segment = segments.body["data"][0]
    found = call("GET", f"/v1/segments/{segment['id']}/users?filter[email]=eva@example.com", 200, Authorization=token)
    check(found, len(found.body["data"]) == 1, "the user must have been restored")
    # Only Cognito's triggers accept the secret of a link.
    link = call("POST", f"/v1/users/{found.body['data'][0]['id']}/magic-link", 200, Authorization=token).body
    call("POST", "/v1/auth/magic-link", 200, {"token": link["token"]})
    print("deployed: the data is there, and Cognito calls the functions")
    import_file(segment, token)
    print("deployed: S3 calls the functions")
    orphans = {"command": "find_orphans", "older_than_minutes": 0}
    answer = command("ReconcileFunctionName", orphans)
    numbers = {name: answer.body[name] for name in ("found", "removed", "next")}
    check(answer, answer.body["checked"] > 1 and numbers == {"found": 0, "removed": 0, "next": None}, "each identity must have its user")
    check_logs(50)


def check_logs(least: int) -> None:
    """Fails where a function was denied something: with AUTH=true MiniStack evaluates the policies of its role."""
    denied, lines = set(), 0
    pages = boto3.client("logs").get_paginator("filter_log_events").paginate(logGroupName=f"/{STACK}/functions")
    for event in (event for page in pages for event in page["events"]):
        lines += 1
        if "AccessDenied" in event["message"] or "not authorized to perform" in event["message"]:
            denied.update(re.findall(r"User: \S+ is not authorized to perform: \S+", event["message"]) or [event["message"]])
    if lines < least:
        sys.exit(f"deploy: the functions' log group has {lines} lines and must have at least {least}.")
    if denied:
        sys.exit("deploy: the template lets functions do too little:\n" + "\n".join(sorted(denied)))


def import_routes() -> None:
    """Creates the routes of the API's OpenAPI body, as API Gateway does.

    MiniStack's CloudFormation creates the API and leaves out its `Body`, where SAM puts all routes.
    """
    gateway, formation = boto3.client("apigatewayv2"), boto3.client("cloudformation")
    template = formation.get_template(StackName=STACK, TemplateStage="Processed")["TemplateBody"]
    template = template if isinstance(template, dict) else json.loads(template)
    api = formation.describe_stack_resource(StackName=STACK, LogicalResourceId="Api")["StackResourceDetail"]
    functions = {one["FunctionName"]: one["FunctionArn"]
                 for page in boto3.client("lambda").get_paginator("list_functions").paginate()
                 for one in page["Functions"]}
    integrations: dict[str, str] = {}
    routes = 0
    for path, methods in template["Resources"]["Api"]["Properties"]["Body"]["paths"].items():
        for method, operation in methods.items():
            integration = operation["x-amazon-apigateway-integration"]
            # arn:…:functions/${UsersFunction.Arn}/invocations
            logical = integration["uri"]["Fn::Sub"].split("functions/${")[1].split(".Arn}")[0]
            if logical not in integrations:
                resource = formation.describe_stack_resource(StackName=STACK, LogicalResourceId=logical)
                name = resource["StackResourceDetail"]["PhysicalResourceId"]
                integrations[logical] = gateway.create_integration(
                    ApiId=api["PhysicalResourceId"], IntegrationType="AWS_PROXY", IntegrationUri=functions[name],
                    PayloadFormatVersion=integration["payloadFormatVersion"])["IntegrationId"]
            verb = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
            key = "$default" if operation.get("isDefaultRoute") else f"{verb} {path}"
            gateway.create_route(ApiId=api["PhysicalResourceId"], RouteKey=key,
                                 Target=f"integrations/{integrations[logical]}")
            routes += 1
    if routes < 80:
        sys.exit(f"deploy: the API has {routes} routes and must have more than 80.")


def everything() -> None:
    import_routes()
    token = walk()
    print("deployed: a user signed up, logged in, and has an address")
    segment = fill_segment(token)
    print("deployed: a segment has a member and a user")
    dialects(segment, token)
    print("deployed: each dialect answered")
    allow_plain_http(segment, token)
    import_file(segment, token)
    print("deployed: a file was imported")
    rotate()
    print("deployed: the sealing secret was rotated")
    check_logs(100)
    print("deployed: no function was denied anything")


if __name__ == "__main__":
    {"open": everything, "closed": closed, "deleted": deleted, "restored": restored}[sys.argv[2]]()
