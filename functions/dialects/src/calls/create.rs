//! `create` and `create_child`: a person in a group.

use std::collections::BTreeSet;

use domain::user::{PersonNumber, Unique};
use domain::{Act, Body as _, Email, Error, FieldError, KeyScope, ParsedBody, Segment, User, UserId};
use edge::{App, Seed};
use identity::Identity;
use serde_json::{Map, Value, json};
use store::PersonIn;

use crate::calls::agent::Agent;
use crate::calls::request::Call;
use crate::calls::{ABSENT, doc};
use crate::lenient::{PHONE, given, secret};

/// What a person does not bring along from another group: its ids there, and what belongs to that group.
const LEFT_BEHIND: [&str; 6] =
    ["reference_id", "photo_upload_id", "parent_id", "partner_id", "status_id", "valid_until"];

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
    let known = match call.person {
        Some(number) => Some(find_known(app, agent, number).await?),
        None => None,
    };
    let other = known.as_ref().and_then(Option::as_ref);
    let country = doc::phone_country(Some(&segment.fields.settings.0), &form, other);
    let mut fields = doc::without_nulls(doc::fields(&form, country.as_ref(), None)?);
    if let Some(password) = password {
        fields.insert("password".to_owned(), secret(&password));
    }
    if let Some(parent) = parent {
        fields.insert("parent_id".to_owned(), json!(parent));
    }
    let brought = other.map(|other| bring(other, &mut fields)).unwrap_or_default();
    if let Some(parent) = parent {
        share_email(app, parent, &mut fields).await?;
    }
    let person = NewPerson { fields, brought, known: call.person };
    let made = (app, identity, &segment, seed.id(0));
    named(made, person, agent.caller.act()).await.map_err(|error| no_parent(person_first(error)))
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

/// Keeps the e-mail of a child as form text where it is the parent's, which nobody else has as its own: 1 read for an e-mail.
async fn share_email(app: &App, parent: UserId, fields: &mut Map<String, Value>) -> Result<(), Error> {
    let email = |text: &str| Email::parse(text).ok().map(|email| Unique::email(&email));
    let Some(sent) = fields.get("email").and_then(Value::as_str).and_then(email) else { return Ok(()) };
    let parent = app.store.user(parent).await?.and_then(|record| record.user.fields.email);
    if parent.is_some_and(|parent| Unique::email(&parent) == sent)
        && let Some(shared) = fields.remove("email")
    {
        let metadata = fields.entry("metadata").or_insert_with(|| json!({}));
        if let Some(metadata) = metadata.as_object_mut() {
            metadata.insert(doc::EMAIL.to_owned(), shared);
        }
    }
    Ok(())
}

/// That the person is in the group already, where that is so: all else follows from it.
fn person_first(error: Error) -> Error {
    let is_number = |field: &domain::FieldError| field.pointer == "/number";
    let Error::Conflict(mut fields) = error else { return error };
    if fields.iter().any(is_number) {
        fields.retain(is_number);
    }
    for field in fields.iter_mut().filter(|field| is_number(field)) {
        "is in this group already; update that user".clone_into(&mut field.message);
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

/// A person who is about to be made a user.
struct NewPerson {
    fields: Map<String, Value>,
    /// The names of the fields that come from another group, and that no conflict may be about.
    brought: BTreeSet<String>,
    /// The number of a person whom another group has.
    known: Option<PersonNumber>,
}

/// Makes the user. Without a username it gets the one that it has in another group, else its e-mail, else a generated one;
/// what else it brings along is left behind where the segment does not take it.
async fn named(
    (app, identity, segment, id): (&App, &Identity, &Segment, UserId),
    NewPerson { mut fields, mut brought, known }: NewPerson,
    act: Act<'_>,
) -> Result<User, Error> {
    let sends_username = fields.contains_key("username") && !brought.remove("username");
    let generated = Value::from(format!("u-{}", id.uuid().simple()));
    let usernames = [fields.get("username").cloned(), fields.get("email").cloned(), Some(generated)];
    let mut usernames = usernames.into_iter().flatten();
    if !sends_username {
        fields.extend(usernames.next().map(|username| ("username".to_owned(), username)));
    }
    loop {
        let new = ParsedBody::parse(Value::Object(fields.clone()));
        let error = match users::made_with_number((app, identity), (segment, id), (new, known), act).await {
            Ok(user) => return Ok(user),
            Err(error) => error,
        };
        let refused = names_of(&error);
        let is_own = |name: &String| brought.contains(name) || (name == "username" && !sends_username);
        if refused.is_empty() || !refused.iter().all(is_own) {
            return Err(if sends_username { error } else { without_username(error) });
        }
        for name in refused {
            if brought.remove(&name) {
                fields.remove(&name);
            } else {
                let Some(next) = usernames.next() else { return Err(error) };
                fields.insert(name, next);
            }
        }
    }
}

/// The names of the fields that an error is about; none where it is about nothing else either.
fn names_of(error: &Error) -> BTreeSet<String> {
    let (Error::Conflict(fields) | Error::Invalid(fields)) = error else { return BTreeSet::new() };
    let name = |field: &FieldError| field.pointer.split('/').nth(1).unwrap_or_default().to_owned();
    fields.iter().map(name).collect()
}

/// The error without the username, which the call does not name.
fn without_username(error: Error) -> Error {
    let Error::Conflict(mut fields) = error else { return error };
    if fields.iter().any(|field| field.pointer != "/username") {
        fields.retain(|field| field.pointer != "/username");
    }
    Error::Conflict(fields)
}

/// What the person is in another group; nothing where that user has just gone.
async fn find_known(app: &App, agent: &Agent, number: PersonNumber) -> Result<Option<User>, Error> {
    let others = app.store.users_of_person(agent.account, number).await?;
    let Some(other) = others.first() else {
        return Err(Error::invalid("/clogin_id", ABSENT, "is nobody's in this organization"));
    };
    Ok(app.store.user(*other).await?.map(|record| record.user))
}

/// Adds what the person has in another group, where the call does not say otherwise: the names of the fields that may be
/// left behind again.
fn bring(other: &User, fields: &mut Map<String, Value>) -> BTreeSet<String> {
    let mut has = doc::without_nulls(other.fields.show());
    let others = has.remove("metadata");
    let sent: BTreeSet<_> = fields.keys().cloned().chain(keys_of(fields.get("metadata"))).collect();
    has.retain(|name, _| !LEFT_BEHIND.contains(&name.as_str()) && !sent.contains(name));
    // A phone and its spelling come together.
    if sent.contains(PHONE.0) || sent.contains(PHONE.1) {
        has.remove(PHONE.0);
        has.remove(PHONE.1);
    }
    let brought: BTreeSet<_> = has.keys().filter(|name| *name != "email").cloned().collect();
    fields.extend(has);
    if let Some(Value::Object(others)) = others {
        let metadata = fields.entry("metadata").or_insert_with(|| json!({}));
        if let Some(metadata) = metadata.as_object_mut() {
            let is_sent = |name: &str| sent.contains(name) || doc::own(name).is_some_and(|own| sent.contains(own));
            metadata.extend(others.into_iter().filter(|(name, _)| !is_sent(name)));
        }
    }
    brought
}

fn keys_of(object: Option<&Value>) -> impl Iterator<Item = String> + '_ {
    object.and_then(Value::as_object).into_iter().flat_map(Map::keys).cloned()
}

/// The error of a person who is a parent.
fn of_parent(error: Error) -> Error {
    let unknown = matches!(&error, Error::Invalid(fields) if fields.iter().any(|field| field.pointer == "/clogin_id"));
    if unknown { Error::invalid("/connected_to", "unknown", "is nobody's in this group") } else { error }
}
