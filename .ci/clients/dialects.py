"""Walks through each dialect as its clients do, with clients that are generated from the dialects' own documents."""

import sys
from typing import TypeVar

import httpx

import muster_b2b as b2b
import muster_calls as calls
import muster_flows as flows
import muster_identity as identity
import muster_platform as platform
import muster_v1 as v1
from muster_b2b import models as b2b_models
from muster_b2b.api.b2b import (
    b2b_create_business_partner,
    b2b_create_user,
    b2b_get_language,
    b2b_get_user,
    b2b_log_in_to_segment,
)
from muster_calls import models as calls_models
from muster_calls.api.calls import calls_call_users
from muster_flows import models as flows_models
from muster_flows.api.membership import flows_create_membership
from muster_flows.api.membership_custom_field import flows_create_field
from muster_flows.api.membership_custom_field_answer import flows_answer_fields, flows_list_answers
from muster_flows.api.membership_level import flows_create_level, flows_list_levels
from muster_flows.api.membership_user import flows_create_member
from muster_flows.api.segment import flows_create_segment
from muster_flows.api.user import flows_create_user, flows_read_user, flows_validate_code
from muster_identity import models as identity_models
from muster_identity.api.oauth import identity_issue_token
from muster_identity.api.users import identity_create_user, identity_list_users, identity_update_user
from muster_platform import models as platform_models
from muster_platform.api.developers import platform_generate_token, platform_register
from muster_platform.api.users import platform_create_user, platform_show_email
from muster_v1 import models as v1_models
from muster_v1.api.keys import create_account_key, create_segment_key
from muster_v1.api.products import create_product
from muster_v1.api.segments import get_segment

T = TypeVar("T")
URL = sys.argv[1]
Failure = (
    v1_models.Problem
    | flows_models.ErrorResponse
    | platform_models.ErrorResponse
    | identity_models.ErrorResponse
    | b2b_models.ErrorResponse
    | calls_models.ErrorResponse
)


def found(answer: T | Failure | None) -> T:
    """Returns an answer, or fails with what came instead."""
    assert answer is not None, "no answer"
    assert not isinstance(answer, Failure), answer
    return answer


def read_code(to: str) -> str:
    """Returns the newest code that was sent to an address."""
    code = httpx.get(f"{URL}/_local/outbox", params={"to": to}).json()["data"][-1]["code"]
    assert isinstance(code, str)
    return code


# flows: a person signs up, makes a segment with a membership, joins it and answers.
EMAIL = "flows-py@example.com"
anybody = flows.Client(base_url=URL)
new_user = flows_models.NewUser(
    email=EMAIL, name="Ana", lastname="López", password="correct horse battery", mobile="55 1234 5678"
)
user_id = found(flows_create_user.sync(client=anybody, body=new_user)).id
validation = flows_models.CodeValidation(verification_code=read_code(EMAIL), user_id=user_id)
tokens = found(flows_validate_code.sync(client=anybody, body=validation))
assert tokens.expires_in == 3600
ana = flows.AuthenticatedClient(base_url=URL, token=tokens.access_token)
mobile: str | None = found(flows_read_user.sync(str(user_id), client=ana)).mobile
assert mobile == "55 1234 5678"
segment_id = found(flows_create_segment.sync(client=ana, body=flows_models.NewSegment(name="Card users"))).id
new_membership = flows_models.NewMembership(name="Club", segment_id=segment_id)
club_id = found(flows_create_membership.sync(client=ana, body=new_membership)).id
new_level = flows_models.NewMembershipLevel(
    membership_id=club_id, name="Gold", number_level=1, from_point=0, to_point=100
)
level_id = found(flows_create_level.sync(client=ana, body=new_level)).id
new_field = flows_models.NewMembershipCustomField(
    membership_id=club_id, name="Income", type_=flows_models.FieldType.NUMBER
)
field_id = found(flows_create_field.sync(client=ana, body=new_field)).id
new_member = flows_models.NewMembershipUser(membership_id=club_id, name="Eva", phone="0000000000")
member_id = found(flows_create_member.sync(client=ana, body=new_member)).id
sent = flows_models.SentAnswer(membership_custom_field_id=field_id, answer="150000")
stack = flows_models.AnswerStack(membership_user_id=member_id, custom_fields=[sent])
found(flows_answer_fields.sync(client=ana, body=stack))
assert [one.answer for one in found(flows_list_answers.sync(str(member_id), client=ana))] == ["150000"]
levels = found(flows_list_levels.sync(str(club_id), client=ana))
assert [(one.id, one.to_point) for one in levels] == [(level_id, "100.00")]

# What the other systems' accounts have: a key of the segment, and one of the account.
owner = v1.AuthenticatedClient(base_url=URL, token=tokens.access_token)
scopes = [v1_models.KeyScope.READ, v1_models.KeyScope.WRITE, v1_models.KeyScope.ADMIN]
new_key = v1_models.KeyFields(name="Dialects", scopes=scopes)
of_segment = found(create_segment_key.sync(segment_id, client=owner, body=new_key))
of_account = found(create_account_key.sync(client=owner, body=new_key))
number = found(get_segment.sync(segment_id, client=owner)).number
new_product = v1_models.ProductFields(title="Pottery", reference_id="123456789", value="499.90", currency="BRL")
product = found(create_product.sync(segment_id, client=owner, body=new_product))

# platform: a developer registers, and sells a product.
new_developer = platform_models.NewDeveloper(
    name="Dev",
    document="123.456.789-10",
    email="dev@example.com",
    phone="+5511999999999",
    corporation_name="Acme",
    corporation_cnpj="11222333000181",
    app_name="App",
    app_desc="An app",
    corporation_address="Main street 1",
)
# No credential is needed, but where the deployment lets only master users register developers.
master = platform.AuthenticatedClient(base_url=URL, token=tokens.access_token)
developers = found(platform_register.sync(client=master, body=new_developer))
token_owner = platform_models.TokenOwner(user_id=developers[0].id)
token = found(platform_generate_token.sync(client=master, body=token_owner)).token
seller = platform.AuthenticatedClient(
    base_url=URL,
    token=of_segment.secret,
    prefix="",
    auth_header_name="X-Platform-Token",
    headers={"X-Developer-Token": token},
)
new_student = platform_models.NewStudent(email="student-py@example.com", phone="(11)99999-9999")
students = platform_models.NewStudents(product_id=["123456789"], users=[new_student])
sold = found(platform_create_user.sync(client=seller, body=students))
assert (len(sold.created), sold.failed) == (1, [])
student = found(platform_show_email.sync("student-py@example.com", client=seller))
assert student.phone == "(11)99999-9999"
assert student.subscription is not None and student.subscription.package_id == product.id

# identity: a key gets a token, and creates, finds and blocks a card user.
request = identity_models.TokenRequest(
    client_id=str(of_segment.id), client_secret=of_segment.secret, grant_type="client_credentials"
)
issued = found(identity_issue_token.sync(client=identity.Client(base_url=URL), body=request))
cards = identity.AuthenticatedClient(base_url=URL, token=issued.access_token)
new_card = identity_models.NewCardUser(
    email="card-py@example.com",
    operation_country="ARG",
    identification_type=identity_models.DocumentType.DNI,
    identification_value="20.123.456",
)
card = found(identity_create_user.sync(client=cards, body=identity_models.CreateCardUser(data=new_card))).data
page = found(identity_list_users.sync(client=cards, filteridentification_value="20123456", sort="status,-gender"))
assert [one.id for one in page.data] == [card.id]
block = identity_models.CardUserChange(
    status=identity_models.CardUserChangeStatus.BLOCKED, status_reason="CLIENT_INTERNAL_REASON"
)
blocked = found(identity_update_user.sync(card.id, client=cards, body=identity_models.UpdateCardUser(data=block))).data
assert blocked.status is identity_models.CardUserStatus.BLOCKED

# b2b: a login, a partner, and a user of it.
credentials = b2b_models.Credentials(field_username=str(of_segment.id), field_password=of_segment.secret)
login = found(b2b_log_in_to_segment.sync(client=b2b.Client(base_url=URL), body=credentials))
business = b2b.AuthenticatedClient(base_url=URL, token=login.token)
language = found(b2b_get_language.sync(client=business)).data[0]
new_partner = b2b_models.NewBusinessPartner(id_remote="p-1", commercial_name="Acme")
found(b2b_create_business_partner.sync(client=business, body=new_partner))
new_business_user = b2b_models.NewUser(
    id_remote="u-1",
    username="b2b.user",
    name="Bea",
    email="b2b-py@example.com",
    language_id=language.id,
    business_partner_id="p-1",
    active=True,
)
created = found(b2b_create_user.sync(client=business, body=[new_business_user]))
users = found(b2b_get_user.sync(client=business, id="u-1")).data
assert [one.id for one in users] == [created[0].id]
assert users[0].business_partner is not None and users[0].business_partner.id_remote == "p-1"

# calls: a person is created, and read with its form.
caller = calls.AuthenticatedClient(
    base_url=URL,
    token=of_account.secret,
    prefix="",
    auth_header_name="Api-token",
    headers={"Api-id": str(of_account.id), "Api-user": "Ana"},
)
form = calls_models.NewForm(username="", main_email="calls-py@example.com", first_name="Cora")
form["application_date"] = "2026-11-21"
create = calls_models.CreateCall(
    action=calls_models.CreateCallAction.CREATE, group_id=number, clogin_id=False, doc=form
)
person = found(calls_call_users.sync(client=caller, body=create))
assert isinstance(person, calls_models.UserAnswer)
get_info = calls_models.GetInfoCall(
    action=calls_models.GetInfoCallAction.GET_INFO,
    group_id=number,
    clogin_id=int(person.user_info.clogin_id),
    doc=calls_models.InfoFlags(field_allfields=True),
)
info = found(calls_call_users.sync(client=caller, body=get_info))
assert isinstance(info, calls_models.InfoAnswer)
assert info.doc.main_email == "calls-py@example.com"
print("The dialects were walked through with the Python clients.")
