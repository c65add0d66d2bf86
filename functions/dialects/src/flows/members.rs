//! `/flows/membership-user`: who has joined.

use std::collections::{BTreeMap, BTreeSet};

use ::members::{Joins, NewMember, Role, Seat, enrol, found, join, reach};
use axum::extract::State as Shared;
use domain::answer::Given;
use domain::member::{Approval, MemberStatus};
use domain::text::Country;
use domain::{
    Error, Field as _, KeyScope, LevelId, Member, MemberId, MembershipId, Object as _, ParsedBody, SegmentId, UserId,
    field::Pointer,
};
use edge::{Access, Answer, App, Caller, LenientBody, Path, Query, Rendered, Seed};
use serde_json::{Value, json};
use store::search::{Filter, Match, Test, Value as Word};
use store::{Configuration, UserRecord};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Made, Pages, Rows, parameter, shown};
use super::forms::{trimmed, word};
use super::names::{Fields, Form, KEPT, Names, optional, optional_switch, required, with};
use super::{levels, schema, users};
use crate::State;

pub(super) const NAMES: Names = Names(&[
    ("membership_id", "membership_id", Form::Shown),
    ("user_id", "user_id", Form::Shown),
    ("segment_id", "segment_id", Form::Shown),
    ("brand_id", "segment_id", Form::Shown),
    ("membership_level_id", "level_id", Form::Shown),
    ("name", "name", Form::Text),
    ("lastname", "last_name", Form::Text),
    ("phone", "phone", Form::Phone),
    ("card_number", "card_number", Form::Text),
    ("validate", "validate", Form::KeptSwitch("Whether the client has validated it.")),
    ("origin", "origin", Form::Text),
    ("image", "image", Form::Kept("Its image.")),
    ("gender", "gender", Form::Kept("Its gender.")),
    ("birthdate", "birthdate", Form::Kept("Its birthdate.")),
    ("birthdate_ts", "birthdate_ts", Form::Kept("Its birthdate as a number.")),
    ("latitude", "latitude", Form::Kept("Degrees north.")),
    ("longitude", "longitude", Form::Kept("Degrees east.")),
    ("only_for_redemptions", "only_for_redemptions", Form::KeptSwitch("Whether it is for redemptions only.")),
    ("only_for_transactions", "only_for_transactions", Form::KeptSwitch("Whether it is for transactions only.")),
    ("origin_membership_id", "origin_membership_id", Form::Kept("The membership that it came from.")),
    ("refer_to", "refer_to", Form::Kept("Whom it refers to.")),
    ("country", "country", Form::KeptPlace("Its country.")),
    ("state", "state", Form::KeptPlace("Its state.")),
    ("city", "city", Form::KeptPlace("Its city.")),
    ("filler_id", "number", Form::Shown),
]);

/// Whether the owner of the segment has agreed, and how that is called there.
pub(super) const APPROVALS: [(Approval, &str); 3] =
    [(Approval::Pending, "pending"), (Approval::Approved, "authorized"), (Approval::Rejected, "rejected")];

/// What a member writes about itself.
const ITS_OWN: [&str; 7] = ["name", "last_name", "phone", "phone_display", "card_number", "origin", "metadata"];

/// The routes.
pub(crate) fn router() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(create_member)).routes(routes!(read_member)).routes(routes!(list_members))
}

fn member(member: &Member) -> Fields {
    let thing = member.show();
    let mut fields = NAMES.show(&thing);
    fields.insert("status".to_owned(), (member.fields.status.0 == MemberStatus::Active).into());
    let approved = APPROVALS.into_iter().find(|(approval, _)| *approval == member.fields.approval.0);
    fields.insert("approved".to_owned(), approved.map(|(_, approved)| approved).into());
    with(fields, &thing, &[])
}

/// Whom a request enrols.
struct Asked {
    user: Option<UserId>,
    segment: Option<SegmentId>,
    level: Option<LevelId>,
    fields: Fields,
}

impl Asked {
    /// Reads a request; phones without a calling code are of this country.
    fn read(mut body: Fields, country: Option<&Country>) -> Result<Self, Error> {
        let (user, segment) = (optional(&mut body, "user_id")?, optional(&mut body, "segment_id")?);
        let (level, status) = (optional(&mut body, "membership_level_id")?, status(&mut body)?);
        let mut fields = NAMES.read_in(body, true, country);
        fields.extend(status.map(|status| ("status".to_owned(), status.as_str().into())));
        Ok(Self { user, segment, level, fields })
    }

    /// The member that it makes: of anybody, for who manages the segment, and else of whoever asks.
    fn joining(mut self, access: &Access, of: &Configuration, role: Role) -> Result<ParsedBody<NewMember>, Error> {
        if self.segment.is_some_and(|segment| segment != of.membership.segment_id) {
            return Err(Error::invalid("/segment_id", "invalid_choice", "must be the segment of the membership"));
        }
        match role {
            Role::Manager => {
                self.fields.extend(self.user.map(|user| ("user_id".to_owned(), user.show())));
                self.fields.extend(self.level.map(|level| ("level_id".to_owned(), level.show())));
                Ok(ParsedBody::parse(Value::Object(self.fields)))
            }
            Role::Itself => self.itself(access, of),
        }
    }

    fn itself(mut self, access: &Access, of: &Configuration) -> Result<ParsedBody<NewMember>, Error> {
        let itself = access.user().ok_or(Error::NotFound)?.user.id;
        if self.user.is_some_and(|user| user != itself) {
            return Err(Error::NotFound);
        }
        let first = of.level_of(0).map(|level| level.id);
        if self.level.is_some_and(|level| Some(level) != first) {
            return Err(Error::Forbidden("Levels are the owner's to give; leave membership_level_id out."));
        }
        self.fields.retain(|name, _| ITS_OWN.contains(&name.as_str()));
        Ok(enrol(itself, Value::Object(self.fields)))
    }
}

/// The status of a member: a switch, or a word of its own in any letters.
fn status(body: &mut Fields) -> Result<Option<MemberStatus>, Error> {
    let sent =
        body.get("status").and_then(|status| word(trimmed(status.clone())).as_str().and_then(MemberStatus::parse));
    if sent.is_some() {
        return Ok(sent);
    }
    let on = optional_switch(body, "status")?;
    Ok(on.map(|on| if on { MemberStatus::Active } else { MemberStatus::Inactive }))
}

/// The country of phones without a calling code: the segment's, or else that of whoever enrols itself.
fn country(joins: &Joins<'_>) -> Option<Country> {
    let itself = joins.access.user().filter(|_| joins.role == Role::Itself);
    let own = || itself.and_then(|record| record.user.fields.operation_country.clone());
    joins.settings.country.clone().or_else(own)
}

/// Enrols a user: whoever manages the segment enrols anybody, and whoever has signed up itself.
#[utoipa::path(post, path = "/flows/membership-user", tag = "membership-user",
    request_body(content = schema::NewMembershipUser, example = json!({
        "membership_id": "0199d2a4-5c00-7000-8000-00000000ab01", "user_id": "0199d2a4-5c00-7000-8000-000000000002",
        "segment_id": "0199d2a4-5c00-7000-8000-0000000005e6", "membership_level_id": null, "name": "Carla", "lastname": "Núñez",
        "phone": "5512345678", "status": true, "card_number": "5204165000000001", "validate": false, "origin": "web",
    })),
    responses((status = 201, description = "The membership user. `sms_code` is shown and not sent.", body = schema::Enrolment,
        example = json!({ "id": "0199d2a4-5c00-7000-8000-00000000ae01", "sms_code": "4817" }))))]
async fn create_member(
    Shared(app): Shared<App>,
    caller: Caller,
    seed: Seed,
    LenientBody(Given(mut body)): LenientBody<Given>,
) -> Answer<Made> {
    let membership: MembershipId = required(&mut body, "membership_id")?;
    let joining =
        |joins: &Joins<'_>| Asked::read(body, country(joins).as_ref())?.joining(joins.access, joins.of, joins.role);
    let made = join(&app, &caller, membership, seed, joining).await.map_err(|error| NAMES.tell(error))?;
    Ok(Made(json!({ "id": made.id, "sms_code": sms_code(made.id) })))
}

/// The four digits that these clients show as the code of an SMS, which Muster does not send; they follow from the id.
fn sms_code(id: MemberId) -> String {
    format!("{:04}", id.uuid().as_u64_pair().1 % 10_000)
}

/// Reads a membership user.
#[utoipa::path(get, path = "/flows/membership-user/{id}", tag = "membership-user",
    responses((status = 200, description = "The membership user.", body = schema::MembershipUser, example = json!(example()))))]
async fn read_member(Shared(app): Shared<App>, caller: Caller, Path(id): Path<MemberId>) -> Answer<Rendered> {
    let seat = Seat::take(&app, &caller, id, KeyScope::Read).await?;
    Ok(shown(member(&seat.shown())))
}

/// Lists the users of a membership; whoever does not manage it finds itself.
#[utoipa::path(get, path = "/flows/membership-user/list/{membership_id}", tag = "membership-user",
    params(Pages, ("user_id" = Option<String>, Query, description = "Only this user.")),
    responses((status = 200, description = "A page of membership users, each with its `membership_level` and `user`.",
        body = [schema::MembershipUserRow],
        headers(("x-total-pages" = u64, description = "How many pages there are."),
            ("x-total-results" = u64, description = "How many rows there are.")), example = json!([example_row()]))))]
async fn list_members(
    Shared(app): Shared<App>,
    caller: Caller,
    Path(membership): Path<MembershipId>,
    pages: Pages,
    mut query: Query,
) -> Answer<Rows> {
    let asked = user_id(&mut query)?;
    let (access, configuration) = caller.accesses(app.store.configuration(membership)).await?;
    let itself = reach(&app, &access, &configuration).await?;
    if pages.removed {
        return Ok(pages.of(Vec::new()));
    }
    let levels: BTreeMap<_, _> = configuration.levels.iter().map(|level| (level.id, levels::level(level))).collect();
    let mut search = pages.search();
    let named = [asked, itself]
        .into_iter()
        .flatten()
        .map(|user| Filter { field: "user_id".to_owned(), test: Test::AnyOf(vec![Match::Exact(Word::word(user))]) });
    search.filters.extend(named);
    let found = found(&app, configuration, &search, itself).await?;
    let ids: BTreeSet<_> = found.rows.iter().filter_map(|member| member.fields.user_id).collect();
    let users = app.store.users_of(&ids).await?;
    let users: BTreeMap<_, _> = users.iter().map(|record| (record.user.id, reached(&access, record))).collect();
    let row = |member: &Member| {
        let mut row = self::member(member);
        let level = member.fields.level_id.and_then(|id| levels.get(&id).cloned());
        let user = member.fields.user_id.and_then(|id| users.get(&id).cloned());
        row.insert("membership_level".to_owned(), level.map_or(Value::Null, Value::Object));
        row.insert("user".to_owned(), user.map_or(Value::Null, Value::Object));
        row
    };
    Ok(pages.rows(found.rows.iter().map(row), found.total))
}

/// The user of a row: whole for those who manage it, and else the profile that it shares with the segment's owner.
fn reached(access: &Access, record: &UserRecord) -> Fields {
    let is_managed = access.is(record.user.id) || access.manages(record, KeyScope::Read).is_ok();
    users::user(&if is_managed { record.user.clone() } else { record.user.clone().shared_with(KEPT) })
}

fn user_id(query: &mut Query) -> Result<Option<UserId>, Error> {
    let mut errors = Vec::new();
    let text = parameter(query, "user_id", &mut errors);
    let user = text.and_then(|text| UserId::read(text.into(), &Pointer::root().child("user_id"), &mut errors));
    if errors.is_empty() { Ok(user) } else { Err(Error::Invalid(errors)) }
}

fn example_row() -> Value {
    let mut row = example();
    if let Some(row) = row.as_object_mut() {
        row.extend([("membership_level".to_owned(), levels::example()), ("user".to_owned(), Value::Null)]);
    }
    row
}

fn example() -> Value {
    json!({
        "membership_id": "0199d2a4-5c00-7000-8000-00000000ab01", "user_id": "0199d2a4-5c00-7000-8000-000000000002",
        "segment_id": "0199d2a4-5c00-7000-8000-0000000005e6", "brand_id": "0199d2a4-5c00-7000-8000-0000000005e6",
        "membership_level_id": "0199d2a4-5c00-7000-8000-000000001e01", "name": "Carla", "lastname": "Núñez",
        "phone": "5512345678", "card_number": "5204165000000001", "validate": false, "origin": "web", "filler_id": "40281739",
        "status": true, "approved": "pending", "image": null, "gender": null, "birthdate": null, "birthdate_ts": null,
        "latitude": null, "longitude": null, "only_for_redemptions": null, "only_for_transactions": null,
        "origin_membership_id": null, "refer_to": null, "country": { "id": null, "code": null, "name": null },
        "state": { "id": null, "code": null, "name": null }, "city": { "id": null, "code": null, "name": null },
        "id": "0199d2a4-5c00-7000-8000-00000000ae01",
        "created_at": "2026-11-21T10:00:00.000Z", "updated_at": "2026-11-21T10:00:00.000Z", "removed": false,
    })
}
