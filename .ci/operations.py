"""Checks what operators rely on: the alarms and their price, the dashboard, and what SAM makes of a canary deployment."""

import contextlib
import copy
import importlib.machinery
import importlib.util
import io
import json
import os
import pathlib
import re
import sys

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

# SAM asks for it, and spells the partition by it.
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

ROOT = pathlib.Path(__file__).resolve().parent.parent
TEMPLATE = (ROOT / "template.yaml").read_text()
MANUAL = (ROOT / "docs/operations.md").read_text()


class ManagedPolicies:
    """Policies that SAM knows by name; it must not ask AWS for them."""

    def load(self):
        return {}


def resources_after_sam(text, parameters=()):
    """Returns the resources that SAM makes of a template, with its functions as `sam package` leaves them."""
    template = yaml_parse(text)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    # SAM says on standard error which of its own switches it does not know.
    with contextlib.redirect_stderr(io.StringIO()):
        return transform(copy.deepcopy(template), dict(parameters), ManagedPolicies())["Resources"]


def of_type(resources, kind):
    return {name: resource for name, resource in resources.items() if resource["Type"] == kind}


def canary_failures():
    loader = importlib.machinery.SourceFileLoader("canary", str(ROOT / ".ci/canary"))
    canary = importlib.util.module_from_spec(importlib.util.spec_from_loader("canary", loader))
    sys.dont_write_bytecode = True
    loader.exec_module(canary)
    first, second = (resources_after_sam(canary.derive(TEMPLATE, release)) for release in ("first", "second"))
    called = set(re.findall(r"functions/\$\{(\w+)[.}]", json.dumps(first["Api"])))
    aliases = of_type(first, "AWS::Lambda::Alias").keys()
    if not called or called != aliases:
        yield f"the API does not call exactly the aliases: {sorted(called ^ aliases)}"
    for name, alias in of_type(first, "AWS::Lambda::Alias").items():
        if "CodeDeployLambdaAliasUpdate" not in alias.get("UpdatePolicy", {}):
            yield f"nothing shifts {name}"
    permitted = {json.dumps(permission["Properties"]["FunctionName"])
                 for permission in of_type(first, "AWS::Lambda::Permission").values()
                 if permission["Properties"]["Principal"] == "apigateway.amazonaws.com"}
    if permitted != {json.dumps({"Ref": alias}) for alias in aliases}:
        yield "the API may not call exactly the aliases"
    names = {json.dumps(alarm["Properties"].get("AlarmName")) for alarm in of_type(first, "AWS::CloudWatch::Alarm").values()}
    for name, group in of_type(first, "AWS::CodeDeploy::DeploymentGroup").items():
        alarms = group["Properties"]["AlarmConfiguration"]["Alarms"]
        if len(alarms) != 2 or not {json.dumps(alarm["Name"]) for alarm in alarms} <= names:
            yield f"{name} has an alarm that the template does not create"
    if of_type(first, "AWS::Lambda::Version").keys() & of_type(second, "AWS::Lambda::Version").keys():
        yield "a second release publishes no new version of a function"


def alarm_metrics(alarm):
    properties = alarm["Properties"]
    return sum("MetricStat" in metric for metric in properties.get("Metrics", [])) or 1


def failures():
    resources = resources_after_sam(TEMPLATE)
    alarms = of_type(resources, "AWS::CloudWatch::Alarm")
    count = sum(map(alarm_metrics, alarms.values()))
    price = f"{count} alarm metrics, ${count / 10:.2f} a month"
    described = " ".join(yaml_parse(TEMPLATE)["Parameters"]["Monitoring"]["Description"].split())
    for text, where in ((described, "the description of Monitoring"), (MANUAL, "docs/operations.md")):
        if price not in text.replace("\n", " "):
            yield f"{where} does not say: {price}"
    for name, alarm in alarms.items():
        if f"`{name}`" not in MANUAL:
            yield f"docs/operations.md does not mention {name}"
        if "AlarmActions" not in alarm["Properties"]:
            yield f"{name} tells nobody"
    functions = of_type(resources, "AWS::Lambda::Function").keys()
    body = resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"][0]
    try:
        json.loads(body)
    except ValueError as error:
        yield f"the dashboard is not JSON: {error}"
    for name in functions:
        if body.count("${" + name + "}") < 4:
            yield f"the dashboard does not show {name}"
    for name in re.findall(r"\$\{(?!AWS::)(\w+)", body):
        if name not in resources:
            yield f"the dashboard shows {name}, which is not in the template"
    for name, function in of_type(resources, "AWS::Lambda::Function").items():
        if "TracingConfig" in function["Properties"]:
            yield f"{name} traces by default"
    yield from canary_failures()


found = list(failures())
print("\n".join(found), file=sys.stderr)
sys.exit(1 if found else 0)
