//! `POST /calls/users/`: the nine actions.

use axum::extract::State;
use axum::response::Response;
use domain::field::MergePatch;
use domain::history::RecordedEmail;
use domain::{CustomStatus, Error, Field as _, KeyScope, SegmentId, User, UserState};
use edge::{Answer, App, IfMatch, LenientBody, Seed, UserRef};
use identity::Identity;
use serde_json::{Map, Value};
use store::PersonIn;

use crate::calls::agent::Agent;
use crate::calls::answer::{Joined, Kept, Known, SUCCESS, about};
use crate::calls::request::Call;
use crate::calls::schema::{UserCall, UserCallAnswer};
use crate::calls::{create, doc, info, list, products};
use crate::lenient::{Json, given, switch, text};

/// Does what `action` says: `create`, `create_child`, `login`, `update`, `add_product`, `add_email`, `get_info`,
/// `set_status`, `get_user_list`.
///
/// `create` without a `clogin_id`, or with false, creates a new person; with that of a person of another group it links the
/// person into this one, with what `doc` leaves out; ids, and what belongs to the other group, stay behind. A blank username becomes `main_email` if that is free, and is else
/// generated. `create_child` needs `connected_to`, the parent's `clogin_id`. `product_list` of `add_product` and `email_list`
/// of `add_email` are 1 to 20 objects, or one by itself. `set_status` takes `status_id` beside `doc` or in it; 0 removes the
/// status. `get_user_list` returns a page of the group's users, by `doc.page` (from 1, default 1) and `doc.limit` (1 to 100,
/// default 20), or from `doc.starting_position` on (default limit 50).
#[utoipa::path(post, path = "/calls/users/", tag = "calls",
    request_body(content = UserCall, example = json!({ "action": "create", "group_id": 1, "submit_forms": true, "disable_email_sending": false,
        "doc": { "username": "", "password": "correct horse battery", "main_email": "ana@example.com", "org_name": "Café Sur",
            "first_name": "Ana", "last_name": "López", "application_date": "2026-11-21" } })),
    responses((status = 200, description = "What was done, and about whom. `login` adds `user_token`, `get_info` adds `doc`, \
        `set_status` adds `msg_type`, `effected_users` and `users`; of `get_user_list`, `users` has `user_info` and `meta_info` of each, \
        `total` is how many there are in all, and `meta_info` and `user_info` are empty.", body = UserCallAnswer, example = json!({
        "success": true, "msg": "The user is made.", "meta_info": { "u_name": "Ana López", "total_forms": "0", "completed_forms": "0", "total_user_forms": "0",
            "total_completed_user_forms": "0", "total_user_mandatory_forms": "0", "total_completed_user_mandatory_forms": "0",
            "total_order": "0.00", "total_paid": "0.00", "total_balance": "0.00", "status_id": "0", "status_name": null },
        "user_info": { "clogin_id": "1829304758", "group_id": "1", "connected_to": "1829304758" } }))))]
pub(super) async fn call(
    State(app): State<App>,
    State(identity): State<Identity>,
    mut agent: Agent,
    seed: Seed,
    LenientBody(Json(body)): LenientBody<Json>,
) -> Answer<Response> {
    let call = match Call::parse(&body) {
        Ok(call) => call,
        Err(error) => {
            agent.holds(KeyScope::Read).await?;
            return Err(error.into());
        }
    };
    agent.caller = agent.caller.silently(call.silent);
    let agent = &agent;
    if call.action == "get_user_list" {
        return Ok(Box::pin(list::list_users(&app, agent, &call)).await?);
    }
    // In boxes, since each of these has far more to keep than what it is one of: a debug build has no room on its stack.
    let Done { user, msg, more, known } = Box::pin(done((&app, &identity), agent, (&call, seed))).await?;
    let kept = Box::pin(Kept::of(&app, &agent.caller, (&user, known))).await?;
    let mut more = more;
    if call.action == "get_info" {
        // No macro of JSON: it would write the numbers of the form anew.
        let info = info::asked(&app, &agent.caller, (&user, &kept), &call.doc).await?;
        more.insert("doc".to_owned(), info);
    }
    Ok(about(&agent.caller, &user, &kept, (msg, more)))
}

/// What came of an action: about whom, in words, what the answer has besides, and what of it need not be read.
struct Done {
    user: User,
    msg: &'static str,
    more: Map<String, Value>,
    known: Known,
}

impl Done {
    fn new(user: User, msg: &'static str) -> Self {
        Self { user, msg, more: Map::new(), known: Known::default() }
    }
}

/// Does what the action says.
async fn done(on: (&App, &Identity), agent: &Agent, (call, seed): (&Call, Seed)) -> Result<Done, Error> {
    match call.action.as_str() {
        "create" => {
            let made = Box::pin(create::created(on, agent, (call, seed), false)).await;
            made.map(|user| Done::new(user, "The user is made."))
        }
        "create_child" => {
            let user = Box::pin(create::created(on, agent, (call, seed), true)).await?;
            let known = Known { parent: call.parent, ..Known::default() };
            Ok(Done { known, ..Done::new(user, "The child is made.") })
        }
        "login" => Box::pin(login(on.0, agent, call)).await,
        "update" => Box::pin(update(on, agent, call)).await,
        "add_product" => Box::pin(add_product(on.0, agent, (call, seed))).await,
        "add_email" => Box::pin(add_email(on.0, agent, call)).await,
        "get_info" => Box::pin(get_info(on.0, agent, call)).await,
        "set_status" => Box::pin(set_status(on, agent, call)).await,
        _ => {
            agent.holds(KeyScope::Read).await?;
            let message = "must be one of create, create_child, login, update, add_product, add_email, get_info, set_status, \
                get_user_list";
            Err(Error::invalid("/action", "unknown", message))
        }
    }
}

async fn login(app: &App, agent: &Agent, call: &Call) -> Result<Done, Error> {
    let found = agent.user(app, call, KeyScope::Admin).await?;
    let subject = agent.caller.acts(UserRef::Id(found.user_id), KeyScope::Admin);
    let (subject, segment) = tokio::join!(subject, app.store.segment(found.segment_id));
    let record = subject?.record;
    users::check_links(&segment?)?;
    let (scope, user) = (record.audit_scope(), record.user);
    let (token, _) = users::new_token(app, scope, &user, agent.caller.act()).await?;
    let more = Map::from_iter([("user_token".to_owned(), token.into())]);
    Ok(Done { more, ..Done::new(user, "The token logs in once.") })
}

async fn update(on: (&App, &Identity), agent: &Agent, call: &Call) -> Result<Done, Error> {
    let person = agent.user(on.0, call, KeyScope::Write).await?;
    let segment = match call.doc.get("phone") {
        // Whether the caller reaches it is checked with the user.
        Some(_) => on.0.store.segment(person.segment_id).await.ok(),
        None => None,
    };
    let settings = segment.as_ref().map(|segment| &segment.fields.settings.0);
    let patch = |before: &User| {
        let country = doc::phone_country(settings, &call.doc, Some(before));
        let fields = doc::fields(&call.doc, country.as_ref(), Some(before))?;
        Ok(MergePatch::<UserState>::read(fields.into()))
    };
    let whom = (UserRef::Id(person.user_id), None);
    let user = users::changed(on, &agent.caller, whom, &IfMatch::default(), patch).await?;
    Ok(Done::new(user, "The user is updated."))
}

async fn add_product(app: &App, agent: &Agent, (call, seed): (&Call, Seed)) -> Result<Done, Error> {
    let user = agent.user(app, call, KeyScope::Write).await?.user_id;
    let user = agent.caller.acts(UserRef::Id(user), KeyScope::Write).await?.record.user;
    let joined = Joined::of(app, &user).await?;
    let joined = products::added(app, agent.account, (&user, joined), (&call.doc, seed), agent.caller.act()).await?;
    let known = Known { joined: Some(joined), ..Known::default() };
    Ok(Done { known, ..Done::new(user, "The products are added.") })
}

async fn add_email(app: &App, agent: &Agent, call: &Call) -> Result<Done, Error> {
    let person = agent.user(app, call, KeyScope::Write).await?;
    let emails = reveal_error(agent, person, emails(&call.doc)).await?;
    let user = users::recorded(app, &agent.caller, UserRef::Id(person.user_id), &emails).await?;
    Ok(Done::new(user, "The e-mails are recorded; nothing is sent."))
}

/// The e-mails of a document, whose addresses may be arrays, and whose texts may be numbers.
fn emails(document: &Value) -> Result<Vec<RecordedEmail>, Error> {
    let (mut emails, mut errors) = (Vec::new(), Vec::new());
    for (index, row) in doc::rows(document, "email_list")?.iter().enumerate() {
        let known = ["from", "to", "subject", "body", "cc", "bcc"];
        let fields = known.iter().filter_map(|name| {
            let value = given(row, name)?;
            let joined = |all: &Vec<Value>| all.iter().filter_map(text).collect::<Vec<_>>().join(", ");
            Some(((*name).to_owned(), value.as_array().map_or_else(|| doc::as_text(value), |all| joined(all).into())))
        });
        let at = domain::field::Pointer::root().child("email_list").child(index);
        emails.extend(RecordedEmail::read(Value::Object(fields.collect()), &at, &mut errors));
    }
    if errors.is_empty() { Ok(emails) } else { Err(Error::Invalid(errors)) }
}

async fn get_info(app: &App, agent: &Agent, call: &Call) -> Result<Done, Error> {
    let user = agent.user(app, call, KeyScope::Read).await?.user_id;
    let user = agent.caller.acts(UserRef::Id(user), KeyScope::Read).await?.record.user;
    Ok(Done::new(user, "The user is found."))
}

async fn set_status(on: (&App, &Identity), agent: &Agent, call: &Call) -> Result<Done, Error> {
    let person = agent.user(on.0, call, KeyScope::Write).await?;
    let sent = call.status.as_ref().map_or_else(|| doc::required(&call.doc, "status_id"), Ok);
    let number = sent.and_then(|id| {
        let text = if switch(id) == Some(false) { Some("0".to_owned()) } else { text(id) };
        let number = text.and_then(|text| text.parse::<i64>().ok()).filter(|number| *number >= 0);
        number.ok_or_else(|| {
            Error::invalid("/status_id", "invalid_type", "must be the number of a status, or 0 for none")
        })
    });
    let status = match number {
        Ok(0) => Ok(None),
        Ok(number) => status(on.0, person.segment_id, number).await.map(Some),
        Err(error) => Err(error),
    };
    let status = reveal_error(agent, person, status).await?;
    let user = users::with_status(on, &agent.caller, person.user_id, status.as_ref()).await?;
    let known = Known { status, ..Known::default() };
    let number = user.number().map(|number| number.get().to_string());
    let more = [
        ("msg_type".to_owned(), SUCCESS.into()),
        ("effected_users".to_owned(), 1.into()),
        ("users".to_owned(), number.into_iter().collect()),
    ];
    let more = Map::from_iter(more);
    Ok(Done { more, known, ..Done::new(user, "The status is set.") })
}

/// The status with this number: 1 read.
async fn status(app: &App, segment: SegmentId, number: i64) -> Result<CustomStatus, Error> {
    let statuses = app.store.custom_statuses(segment).await?;
    let found = statuses.into_iter().find(|status| status.number.get() == number);
    found.ok_or_else(|| Error::invalid("/status_id", "unknown", "is no status of this group"))
}

/// Shows what is wrong with a document only to a caller that may change the user.
async fn reveal_error<T>(agent: &Agent, person: PersonIn, read: Result<T, Error>) -> Result<T, Error> {
    if read.is_err() {
        agent.holds(KeyScope::Write).await?.check_active(person.segment_id)?;
    }
    read
}
