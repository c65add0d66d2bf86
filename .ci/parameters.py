"""Checks that the templates refuse wrong parameters before anything is created.

CloudFormation compares each value with its parameter's constraints, then evaluates `Rules`. Neither can be tried without an
account, so this evaluates both: a table of values that must be accepted and refused, and a table of combinations.
"""

import re
import sys

from samtranslator.yaml_helper import yaml_parse

TOPIC = "arn:aws:sns:eu-west-1:123456789012"
ADDRESSES = (
    ["", "a@example.com", "Example <no-reply@mail.example.com>", '"Example, Inc." <no-reply@example.com>'],
    ["Example", "a@localhost", "Example <a@example.com", "a@example.com, b@example.com", "a@example.com,b@example.com",
     "<a@example.com>", "Exámple <a@example.com>", "Example <a @example.com>", "a@example.com\nBcc: b@example.com"],
)
WHOLE = ["0", "-1", "1.5", "", "1e3", "01", " 1", "many"]

# Parameter: values that are accepted, values that are refused.
TEMPLATES = {
    "template.yaml": {
        "SignUp": (["open", "first", "closed"], ["", "Open", "yes"]),
        "DeveloperRegistration": (["open", "account"], ["", "closed"]),
        "RateLimitFactor": (["1", "1000"], [*WHOLE, "1000000"]),
        "Architecture": (["arm64", "x86_64"], ["", "arm", "amd64"]),
        "LogRetentionDays": (["30", "3653"], ["2", "0", "forever"]),
        "AuditRetentionDays": (["1", "99", "999", "2999", "3599", "3649", "3650"], [*WHOLE, "3651", "3700", "4000", "36500"]),
        "AllowedOrigins": (
            ["*", "", "https://example.com", "http://localhost:5173", "http://127.0.0.1:8080", "http://[::1]:3000",
             "https://a.example.com,https://b.example.com", "https://a.example.com, http://b.example.com:8080",
             "https://example.com:4430"],
            ["example.com", "https://example.com/", "https://example.com/app", "https://example.com?a=1", "*.example.com",
             "https://*.example.com", "*,https://example.com", "https://example.com;https://example.org", "null",
             "https://Example.com", "https://user@example.com", "ftp://example.com", "https://example.com:443",
             "http://example.com:80", "https://a.example.com,b.example.com", "https://a.example,https://b.example:443",
             "https://example.com https://example.org", "https://"],
        ),
        "FileOrigins": (
            ["", "*", "https://example.com", "https://*.example.com,http://localhost:3000"],
            ["example.com", "https://example.com/", "https://example.com/app", "https://a.example,b.example", "https://Example.com"],
        ),
        "ImportMaxBytes": (
            ["1", "536870912", "999999999", "4999999999", "5299999999", "5359999999", "5367999999", "5368699999", "5368708999",
             "5368709099", "5368709119", "5368709120"],
            [*WHOLE, "5368709121", "5368709130", "5368709200", "5368710000", "5368800000", "5369000000", "5370000000",
             "5400000000", "6000000000", "10000000000", "512MiB"],
        ),
        "MalwareScan": (["off", "guardduty"], ["", "on", "false"]),
        "ExportRetentionDays": (["1", "9", "29", "30"], [*WHOLE, "31", "300"]),
        "PublicUrl": (
            ["", "https://api.example.com", "https://api.example.com:8443", "https://api.example.com/muster/v1.2"],
            ["api.example.com", "http://api.example.com", "https://api.example.com/", "https://api.example.com//v1",
             "https://api.example.com/v1/", "https://api.example.com/a%2Fb", "https://user@api.example.com", "https://api.example.com?a", "https://"],
        ),
        "TrustedProxyHops": (["0", "1", "10"], ["-1", "1.5", "11", "", "100"]),
        "ProxySecret": (["", "s" * 32, "s" * 128, f"{'s' * 32},{'t' * 32}"], ["short", "s" * 129, f"{'s' * 32},", ",", "s" * 31 + " ", f"{'s' * 32},{'t' * 32},{'u' * 32}"]),
        "ThrottlingRateLimit": (["1", "500", "0.5e4"], ["0", "0.5", "-1", "", "many"]),
        "ThrottlingBurstLimit": (["1", "1000"], [*WHOLE, "1000000"]),
        "EmailIdentityArn": (
            ["", "arn:aws:ses:eu-west-1:123456789012:identity/example.com",
             "arn:aws-us-gov:ses:us-gov-west-1:123456789012:identity/a@example.com"],
            ["example.com", "arn:aws:ses:eu-west-1:1234:identity/example.com", "arn:aws:sns:eu-west-1:123456789012:topic",
             "arn:aws:ses:eu-west-1:123456789012:identity/", "arn:aws:ses::123456789012:identity/example.com"],
        ),
        "EmailFrom": ADDRESSES,
        "MailFrom": ADDRESSES,
        "PushApnsArn": (["", f"{TOPIC}:app/APNS/muster"], [f"{TOPIC}:app/APNS_SANDBOX/muster", f"{TOPIC}:app/GCM/muster", f"{TOPIC}:topic", "muster"]),
        "PushApnsSandboxArn": (["", f"{TOPIC}:app/APNS_SANDBOX/muster"], [f"{TOPIC}:app/APNS/muster", "muster"]),
        "PushFcmArn": (["", f"{TOPIC}:app/GCM/muster"], [f"{TOPIC}:app/FCM/muster", f"{TOPIC}:app/APNS/muster", "muster"]),
        "EventBusName": (
            ["", "default", "muster-events", "aws.partner/example.com/123/bus"],
            ["arn:aws:events:eu-west-1:123456789012:event-bus/default", "my bus", "/bus", "a" * 257],
        ),
        "Monitoring": (["off", "alarms", "full"], ["", "on", "false"]),
        "RequestMetrics": (["off", "function", "route"], ["", "on", "routes"]),
        "Tracing": (["Disabled", "Active"], ["", "off", "active", "PassThrough"]),
        "AlarmTopicArn": (["", f"{TOPIC}:alarms"], ["alarms", f"{TOPIC}:alarms:1234", f"{TOPIC}:app/APNS/muster", f"{TOPIC}:alarms.fifo"]),
        "ExistingTableArn": (
            ["", "arn:aws:dynamodb:eu-west-1:123456789012:table/muster-restored"],
            ["muster", "arn:aws:dynamodb:eu-west-1:123456789012:table/muster/stream/2026-01-31T10:20:30.400", "arn:aws:dynamodb:eu-west-1:123456789012:table/"],
        ),
        "ExistingTableStreamLabel": (["", "2026-01-31T10:20:30.400"], ["latest", "arn:aws:dynamodb:eu-west-1:123456789012:table/muster/stream/2026-01-31T10:20:30.400"]),
        "ExistingUserPoolArn": (
            ["", "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_AbCdEfGhI"],
            ["eu-west-1_AbCdEfGhI", "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/", "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_AbC/client"],
        ),
        "ExistingBucketArn": (["", "arn:aws:s3:::muster-files-01234567"], ["muster-files", "arn:aws:s3:::muster-files/clean", "arn:aws:s3:::Muster"]),
    },
    "edge.yaml": {
        "ApiHost": (
            ["abcde12345.execute-api.eu-west-1.amazonaws.com"],
            ["", "https://abcde12345.execute-api.eu-west-1.amazonaws.com", "abcde12345.execute-api.eu-west-1.amazonaws.com/", "localhost"],
        ),
        "DomainName": (["api.example.com"], ["", "https://api.example.com", "api.example.com/", "API.example.com", "*.example.com", "example"]),
        "CertificateArn": (
            ["arn:aws:acm:us-east-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"],
            ["", "arn:aws:acm:eu-west-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef", "01234567-89ab-cdef-0123-456789abcdef"],
        ),
        "ProxySecret": (["s" * 32, "s" * 128], ["", "short", "s" * 129, f"{'s' * 32},{'t' * 32}"]),
        "HostedZoneId": (["", "Z2FDTNDATAQYW2"], ["example.com", "/hostedzone/Z2FDTNDATAQYW2", "z2fdtndataqyw2"]),
        "Waf": (["off", "managed"], ["", "on"]),
        "WafRateLimit": (["10", "3000"], [*WHOLE, "9", "10000000"]),
    },
    "budget.yaml": {
        "BudgetLimit": (["1", "50", "999999999"], [*WHOLE, "$50", "1000000000"]),
        "BudgetEmail": (
            ["billing@example.com"],
            ["", "billing", "Billing <billing@example.com>", "a@example.com,b@example.com", "a@localhost"],
        ),
    },
}

TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/muster-restored"
IDENTITY = "arn:aws:ses:eu-west-1:123456789012:identity/example.com"

# Values beside the defaults, and the rules that they break.
COMBINATIONS = {
    "template.yaml": [
        ({}, []),
        ({"EmailIdentityArn": IDENTITY, "EmailFrom": "a@example.com"}, []),
        ({"EmailIdentityArn": IDENTITY}, ["CodesHaveASender"]),
        ({"EmailFrom": "a@example.com"}, ["SendersHaveAnIdentity"]),
        ({"ExistingTableArn": TABLE, "ExistingTableStreamLabel": "2026-01-31T10:20:30.400"}, []),
        ({"ExistingTableArn": TABLE}, ["TablesHaveAStream"]),
        ({"ExistingTableStreamLabel": "2026-01-31T10:20:30.400"}, ["StreamsHaveATable"]),
    ],
    "edge.yaml": [({}, [])],
    "budget.yaml": [({}, [])],
}


def is_accepted(parameter, value):
    """Returns whether CloudFormation accepts a value: as a whole, or each of a list's values."""
    is_list = parameter["Type"] == "CommaDelimitedList"
    return all(is_accepted_value(parameter, one.strip() if is_list else one) for one in (value.split(",") if is_list else [value]))


def is_accepted_value(parameter, value):
    if parameter["Type"] == "Number":
        try:
            number = float(value)
        except ValueError:
            return False
        if not parameter.get("MinValue", number) <= number <= parameter.get("MaxValue", number):
            return False
    if "AllowedValues" in parameter and value not in map(str, parameter["AllowedValues"]):
        return False
    if len(value) > int(parameter.get("MaxLength", len(value))):
        return False
    return re.fullmatch(parameter.get("AllowedPattern", "(?s).*"), value) is not None


def evaluate(expression, values):
    """Evaluates the functions that rules may use, as far as the templates use them."""
    if not isinstance(expression, dict):
        return expression
    [(function, operand)] = expression.items()
    if function == "Ref":
        return values[operand]
    operands = [evaluate(one, values) for one in operand]
    match function:
        case "Fn::Equals":
            return str(operands[0]) == str(operands[1])
        case "Fn::Not":
            return not operands[0]
        case "Fn::And":
            return all(operands)
        case "Fn::Or":
            return any(operands)
        case "Fn::Contains":
            return str(operands[1]) in map(str, operands[0])
    raise ValueError(f"no rule may use {function}")


def broken_rules(template, given):
    values = {name: parameter.get("Default", "") for name, parameter in template["Parameters"].items()} | given
    for name, rule in template.get("Rules", {}).items():
        if evaluate(rule.get("RuleCondition", True), values):
            if not all(evaluate(assertion["Assert"], values) for assertion in rule["Assertions"]):
                yield name


def failures(path, table):
    with open(path) as file:
        template = yaml_parse(file.read())
    parameters = template["Parameters"]
    for name in parameters.keys() ^ table.keys():
        yield f"{name} is in only one of the template and the table"
    for name in parameters.keys() & table.keys():
        parameter, (good, bad) = parameters[name], table[name]
        if "AllowedPattern" in parameter and not parameter.get("ConstraintDescription", "").startswith("must be "):
            yield f"{name} has a pattern, and no ConstraintDescription that begins with 'must be'"
        if "Default" in parameter and not is_accepted(parameter, str(parameter["Default"])):
            yield f"{name} refuses its own default"
        yield from (f"{name} refuses {value!r}" for value in good if not is_accepted(parameter, value))
        yield from (f"{name} accepts {value!r}" for value in bad if is_accepted(parameter, value))
    tried = set()
    for given, expected in COMBINATIONS[path]:
        refused = [name for name, value in given.items() if not is_accepted(parameters[name], value)]
        yield from (f"the combination {given} has a wrong {name}" for name in refused)
        broken = list(broken_rules(template, given))
        tried.update(broken)
        if broken != expected:
            yield f"{given} breaks {broken}, not {expected}"
    for name, rule in template.get("Rules", {}).items():
        if name not in tried:
            yield f"no combination breaks the rule {name}"
        if not all(assertion.get("AssertDescription") for assertion in rule["Assertions"]):
            yield f"the rule {name} does not say what to do"


def main():
    found = [f"{path}: {failure}" for path, table in TEMPLATES.items() for failure in failures(path, table)]
    print("\n".join(found), file=sys.stderr)
    return 1 if found else 0


sys.exit(main())
