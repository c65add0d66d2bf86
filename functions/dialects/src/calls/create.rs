//! `create` and `create_child`: a person in a group.

use domain::user::PersonNumber;
use domain::{Act, Body as _, Error, FieldError, KeyScope, NewUser, Segment, User, UserId};
use edge::{App, Seed};
use identity::Identity;
use serde_json::{Map, Value, json};
use store::PersonIn;

use crate::calls::agent::Agent;
use crate::calls::request::Call;
use crate::calls::{ABSENT, doc};
use crate::lenient::{given, secret};

/// What a person who comes from another group brings along, where the call does not say otherwise.
const BROUGHT: [&str; 8] =
    ["email", "username", "name", "last_name", "second_last_name", "phone", "birthdate", "language"];

/// Makes a user of the person, new or known in another group; a child is connected to its parent.
pub(super) async fn created(
    (app, identity): (&App, &Identity),
    agent: &Agent,
    (call, seed): (&Call, Seed),
    child: bool,
) -> Result<User, Error> {
    let (segment, parent) = if child {
        let parent = parent(app, agent, call).await?;
        (parent.segment_id, Some(parent.user_id))
    } else {
        (agent.group(app, call, KeyScope::Write).await?, None)
    };
    let segment = app.store.segment(segment).await?;
    let mut form = call.doc.clone();
    let password = given(&form, "password").cloned();
    if let Some(form) = form.as_object_mut() {
        form.remove("password");
    }
    let mut fields = doc::fields(&form)?;
    if let Some(password) = password {
        fields.insert("password".to_owned(), secret(&password));
    }
    if let Some(parent) = parent {
        fields.insert("parent_id".to_owned(), json!(parent));
    }
    if let Some(known) = call.person {
        bring(app, agent, known, &mut fields).await?;
    }
    let made = (app, identity, &segment, seed.id(0));
    named(made, (fields, call.person), agent.caller.act()).await.map_err(|error| no_parent(person_first(error)))
}

/// Whom a child is to be connected to, for a key that holds: 3 reads at once.
async fn parent(app: &App, agent: &Agent, call: &Call) -> Result<PersonIn, Error> {
    let Some(number) = call.parent else {
        agent.holds(KeyScope::Write).await?;
        return Err(Error::invalid("/connected_to", "required", "is required"));
    };
    let parent = Call { person: Some(number), ..call.clone() };
    let (holds, found) = tokio::join!(agent.holds(KeyScope::Write), agent.user(app, &parent, KeyScope::Write));
    let access = holds?;
    let found = found.map_err(of_parent)?;
    access.check_active(found.segment_id).map(|()| found)
}

/// That the person is in the group already, where that is so: all else follows from it.
fn person_first(error: Error) -> Error {
    let is_number = |field: &domain::FieldError| field.pointer == "/number";
    let Error::Conflict(mut fields) = error else { return error };
    if fields.iter().any(is_number) {
        fields.retain(is_number);
    }
    Error::Conflict(fields)
}

/// That the parent, who is somebody in the group, is a child itself.
fn no_parent(error: Error) -> Error {
    error.map_fields(|field| match field.pointer.as_str() {
        "/parent_id" => FieldError { message: "is a child, who has no children".to_owned(), ..field },
        _ => field,
    })
}

/// Makes the user; without a username it gets its e-mail as one, or one that is made up.
async fn named(
    (app, identity, segment, id): (&App, &Identity, &Segment, UserId),
    (mut fields, known): (Map<String, Value>, Option<PersonNumber>),
    act: Act<'_>,
) -> Result<User, Error> {
    let made = async |fields: &Map<String, Value>| {
        let new = NewUser::parse(Value::Object(fields.clone()))?;
        users::made_with_number((app, identity), (segment, id), (new, known), act).await
    };
    let sent = Value::Object(fields.clone());
    if given(&sent, "username").is_some() {
        return made(&fields).await;
    }
    if let Some(email) = given(&sent, "email") {
        fields.insert("username".to_owned(), email.clone());
        match made(&fields).await {
            Err(error) if is_about_username(&error) => {}
            made => return made,
        }
    }
    fields.insert("username".to_owned(), format!("u-{}", id.uuid().simple()).into());
    made(&fields).await
}

/// Adds what the person has in another group.
async fn bring(app: &App, agent: &Agent, known: PersonNumber, fields: &mut Map<String, Value>) -> Result<(), Error> {
    let others = app.store.users_of_person(agent.account, known).await?;
    let Some(other) = others.first() else {
        return Err(Error::invalid("/clogin_id", ABSENT, "is nobody's in this organization"));
    };
    let Some(other) = app.store.user(*other).await? else { return Ok(()) };
    let mut has = other.user.fields.show();
    for name in BROUGHT {
        if let Some(value) = has.remove(name).filter(|value| !value.is_null()) {
            fields.entry(name).or_insert(value);
        }
    }
    Ok(())
}

fn is_about_username(error: &Error) -> bool {
    let (Error::Conflict(fields) | Error::Invalid(fields)) = error else { return false };
    fields.iter().all(|field| field.pointer == "/username")
}

/// The error of a person who is a parent.
fn of_parent(error: Error) -> Error {
    let unknown = matches!(&error, Error::Invalid(fields) if fields.iter().any(|field| field.pointer == "/clogin_id"));
    if unknown { Error::invalid("/connected_to", "unknown", "is nobody's in this group") } else { error }
}
