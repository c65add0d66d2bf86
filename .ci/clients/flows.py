"""Runs the flows of the README with a client that is generated from the document of `/v1`: each answer has its type."""

import sys
import time
from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

import httpx

from muster_v1 import AuthenticatedClient, Client, models
from muster_v1.api.addresses import create_address, list_addresses
from muster_v1.api.auth import log_in
from muster_v1.api.fields import create_field
from muster_v1.api.levels import create_level
from muster_v1.api.members import create_member, get_member, list_members
from muster_v1.api.memberships import create_membership
from muster_v1.api.points import award_points
from muster_v1.api.segments import create_segment
from muster_v1.api.uploads import create_upload, get_upload
from muster_v1.api.users import create_user, list_users, sign_up, verify_user

T = TypeVar("T")
URL = sys.argv[1]
PASSWORD = "correct horse battery"
EMAIL = "py@example.com"


def found(answer: T | models.Problem | None) -> T:
    """Returns an answer, or fails with the problem that came instead."""
    assert answer is not None, "no answer"
    assert not isinstance(answer, models.Problem), answer
    return answer


def read_code(to: str) -> str:
    """Returns the newest code that was sent to an address."""
    code = httpx.get(f"{URL}/_local/outbox", params={"to": to}).json()["data"][-1]["code"]
    assert isinstance(code, str)
    return code


def until(look: Callable[[], bool]) -> None:
    for _ in range(100):
        if look():
            return
        time.sleep(0.1)
    raise AssertionError("nothing came in 10 seconds")


# Sign up, verify the e-mail, log in.
anybody = Client(base_url=URL)
signed = found(sign_up.sync(client=anybody, body=models.SignUp(email=EMAIL, name="Ana", password=PASSWORD)))
assert signed.status is models.UserStatus.UNVERIFIED
user_id: UUID = signed.id
found(verify_user.sync(user_id, client=anybody, body=models.Verification(code=read_code(EMAIL))))
tokens = found(log_in.sync(client=anybody, body=models.Login(email=EMAIL, password=PASSWORD)))
ana = AuthenticatedClient(base_url=URL, token=tokens.access_token)

# An address, and the list of them.
home = models.AddressFields(alias="Home", street="Avenida Reforma", zip_code="06600", latitude=19.427, is_shipping=True)
address = found(create_address.sync("me", client=ana, body=home))
assert isinstance(address, models.Address)
latitude: float | None = address.latitude
assert latitude == 19.427
assert found(list_addresses.sync("me", client=ana)).page.total_items == 1

# A segment, a membership, a level, and fields.
segment = found(create_segment.sync(client=ana, body=models.SegmentFields(name="Card users")))
club = found(create_membership.sync(segment.id, client=ana, body=models.MembershipFields(name="Club")))
new_level = models.LevelFields(name="Gold", number=1, from_point=100, to_point=500)
gold = found(create_level.sync(club.id, client=ana, body=new_level))
options = [models.ChoiceFields(key="bbva", value="BBVA"), models.ChoiceFields(key="hsbc", value="HSBC")]
new_field = models.CustomFieldFields(
    key="bank", name="Bank", type_=models.FieldType.DROPDOWN, searchable=True, options=options
)
field = found(create_field.sync(club.id, client=ana, body=new_field))
assert field.type_ is models.FieldType.DROPDOWN

# A member with answers, found by its answers and its name, and carried to a level by points.
answers = models.AnswersFields()
answers["bank"] = "bbva"
new_member = models.NewMember(name="Émile", last_name="Zola", answers=answers)
member = found(create_member.sync(club.id, client=ana, body=new_member))
assert member.answers["bank"] == "bbva"
by_answer = models.ListMembersFilteranswersKEY()
by_answer["filter[answers.bank]"] = "bbva"
members = found(list_members.sync(club.id, client=ana, filtername=["emi*"], filteranswers_key=by_answer))
assert [one.id for one in members.data] == [member.id]
award = models.AwardFields(delta=150, reason="Referred a friend")
found(award_points.sync(member.id, client=ana, body=award))
level: UUID | None = found(get_member.sync(member.id, client=ana)).level_id
assert level == gold.id

# A user of the segment, who logs in by its document.
metadata = models.NewUserMetadataType0.from_dict({"plan": "gold"})
new_user = models.NewUser(
    email="eva-py@example.com",
    last_name="Núñez",
    operation_country="CHL",
    identification=models.DocumentFields(type_=models.DocumentType.RUT, value="12.345.678-5"),
    metadata=metadata,
    password=PASSWORD,
)
eva = found(create_user.sync(segment.id, client=ana, body=new_user))
assert eva.identification is not None and eva.identification.value == "123456785"
document = models.DocumentFields(type_=models.DocumentType.RUT, value="123456785")
login = models.Login(document=document, password=PASSWORD, segment_id=segment.id)
assert found(log_in.sync(client=anybody, body=login)).user_id == eva.id
users = found(list_users.sync(segment.id, client=ana, filterlast_name=["nun*"], sort=["-email"]))
assert [one.id for one in users.data] == [eva.id]

# A file, sent as the answer says.
csv = b"email;name\nmax-py@example.com;Max\n"
new_upload = models.UploadFields(
    segment_id=segment.id,
    purpose=models.UploadPurpose.IMPORT,
    filename="users.csv",
    content_type=models.FileType.TEXTCSV,
    size=len(csv),
)
upload = found(create_upload.sync(client=ana, body=new_upload))
httpx.put(upload.url, content=csv, headers=upload.headers.to_dict()).raise_for_status()
until(lambda: found(get_upload.sync(upload.id, client=ana)).status is models.UploadStatus.AVAILABLE)

# An error has its type too.
refused = log_in.sync(client=anybody, body=models.Login(email=EMAIL, password="wrong horse battery"))
assert isinstance(refused, models.Problem) and refused.code == "unauthenticated"
print("The flows ran with the Python client.")
