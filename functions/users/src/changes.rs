//! `GET /v1/segments/{segment}/users/changes`: what to do to keep a copy of a segment's users.

use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::field::Pointer;
use domain::{Field as _, FieldError, KeyScope, Object as _, SegmentId, Status, Time, User, UserId};
use edge::{Answer, App, Caller, Path, Query, Rendered};
use serde_json::Value;
use store::{Changed, Since};
use utoipa::ToSchema;

/// A change of a user: the last one, with the user as it is since.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the shape of the answer, for the OpenAPI document")]
pub(crate) struct UserChange {
    /// Whose.
    id: UserId,
    /// When.
    changed_at: Time,
    /// Whether the user is gone: deleted, or erased.
    deleted: bool,
    /// The user; nothing where it is gone.
    #[schema(required = true)]
    user: Option<User>,
}

/// Changes of users, oldest first.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the shape of the answer, for the OpenAPI document")]
pub(crate) struct UserChanges {
    /// The changes, oldest first.
    data: Vec<UserChange>,
    /// Where to go on, by `since`, now or at any time.
    cursor: String,
    /// Whether there is more by now.
    has_more: bool,
}

/// What the route takes.
const KNOWN: &str = "since, page[size]";

/// How many changes are answered at most where it is not said.
const DEFAULT_SIZE: u32 = 100;

/// Tells which users of a segment were created, changed or deleted since a time or a cursor, oldest first, each once with
/// its latest state. None is ever left out; a cursor is good for ever.
#[utoipa::path(get, path = "/v1/segments/{segment}/users/changes", tag = "users", operation_id = "list_user_changes",
    params(
        ("since" = Option<String>, Query, description = "A time (RFC 3339), itself included, or the `cursor` of the answer before. \
            Without it: from the beginning."),
        ("page[size]" = Option<u32>, Query, minimum = 1, maximum = 100, description = "How many at most; 100 by default."),
    ),
    responses((status = 200, description = "Some changes, and where to go on.", body = UserChanges)))]
pub(crate) async fn changes(
    State(app): State<App>,
    caller: Caller,
    Path(segment): Path<SegmentId>,
    mut query: Query,
) -> Answer<Rendered> {
    let mut errors = Vec::new();
    let since = query.take_unspaced("since", &mut errors);
    let since = since.map_or_else(|| Some(Since::time(Time::from_millis(0))), |text| place(&text, &mut errors));
    let size = query.take("page[size]", &mut errors);
    let size = size.map_or(Some(DEFAULT_SIZE), |text| text.parse().ok().filter(|size| (1..=100).contains(size)));
    if size.is_none() {
        let at = Pointer::root().child("page[size]");
        errors.push(at.error("out_of_range", "must be a whole number from 1 to 100"));
    }
    query.finish(KNOWN, errors)?;
    caller.segment(segment, KeyScope::Read).await?;
    let (since, size) = (since.unwrap_or_else(|| Since::time(Time::now())), size.unwrap_or(DEFAULT_SIZE));
    let found = app.store.user_changes(segment, &since, size).await?;
    let data: Vec<Value> = found.rows.iter().map(shown).collect();
    let cursor = URL_SAFE_NO_PAD.encode(found.next.as_str());
    // `json!` would change the digits of numbers in metadata.
    Ok(Rendered(object([("data", data.into()), ("cursor", cursor.into()), ("has_more", found.more.into())])))
}

fn place(text: &str, errors: &mut Vec<FieldError>) -> Option<Since> {
    let cursor = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    if let Some(since) = cursor.as_deref().and_then(Since::cursor) {
        return Some(since);
    }
    let time = Time::read(text.into(), &Pointer::root(), &mut Vec::new());
    if time.is_none() {
        let at = Pointer::root().child("since");
        errors
            .push(at.error("invalid_time", "must be a time like 2026-11-21T10:00:00.000Z, or the cursor of an answer"));
    }
    time.map(Since::time)
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn shown(change: &Changed) -> Value {
    let user = change.user.as_ref().filter(|user| user.status != Status::Deleted);
    object([
        ("id", change.id.show()),
        ("changed_at", change.at.show()),
        ("deleted", user.is_none().into()),
        ("user", user.map_or(Value::Null, User::show)),
    ])
}
