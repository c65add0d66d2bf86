//! `POST /v1/segments/{segment}/users/batch`.

use axum::extract::State;
use domain::segment::IdentificationScope;
use domain::user::rounds;
use domain::{
    Error, Field, FieldError, Flag, KeyScope, NewUser, ParsedBody, Segment, SegmentId, User, UserId, body,
    field::Pointer,
};
use edge::{Answer, App, Body, Caller, Failure, Path, Problem, RowResults, Seed};
use futures_util::stream::{self, StreamExt as _};
use identity::Identity;
use serde_json::{Value, json};
use utoipa::openapi::schema::{AnyOfBuilder, SchemaType};
use utoipa::openapi::{ArrayBuilder, ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::create::made;
use crate::together::together;

/// How many users a batch may have.
const MOST: usize = 100;

/// So many users are made at once.
const AT_ONCE: usize = 16;

body! {
    /// New users.
    pub struct Batch {
        /// 1 to 100 users.
        pub users: Rows,
        /// Whether they stand or fall together: all are made, or none. Each stands or falls alone where it is left out.
        pub atomic: Flag<false>,
    }
    example { "users": [{ "email": "ana@example.com", "name": "Ana" }, { "email": "eva@example.com" }] }
}

/// The users of a batch, not read yet.
#[derive(Debug, Clone)]
pub(crate) struct Rows(Vec<Value>);

impl Field for Rows {
    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        let Value::Array(users) = value else {
            errors.push(at.error("invalid_type", "must be an array"));
            return None;
        };
        if !(1..=MOST).contains(&users.len()) {
            errors.push(at.error("invalid_length", "must have 1 to 100 users"));
            return None;
        }
        Some(Self(users))
    }

    fn show(&self) -> Value {
        self.0.clone().into()
    }

    fn schema() -> RefOr<Schema> {
        // Whatever else it is, it is refused by itself.
        let anything = ObjectBuilder::new().schema_type(SchemaType::AnyValue);
        let anything = anything.description(Some("Anything else, which is refused by itself."));
        let user = domain::field::named(<NewUser as PartialSchema>::schema(), "NewUser");
        let user = AnyOfBuilder::new().item(user).item(anything).description(Some("A new user."));
        ArrayBuilder::new().items(user).min_items(Some(1)).max_items(Some(MOST)).into()
    }
}

/// What came of a batch.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the shape of the answer, for the OpenAPI document")]
pub(crate) struct BatchResults {
    /// The result of each user, in the order of the request.
    results: Vec<BatchResult>,
}

/// What came of one user of a batch.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the shape of the answer, for the OpenAPI document")]
pub(crate) struct BatchResult {
    /// The place in the batch, from 0.
    index: usize,
    /// 201, or the status that the user alone would have been refused with.
    status: u16,
    /// The user that was made.
    id: Option<UserId>,
    /// Why it was not.
    error: Option<Problem>,
}

/// Makes up to 100 users of a segment, each of which stands or falls alone. Of those that claim the same value, the first
/// stands. With `atomic` all of them stand or none, and what is wrong with any is told as of one request. A row that failed
/// with `unavailable`, `rate_limited` or `in_progress` is completed by the same request with the same `Idempotency-Key`.
#[utoipa::path(post, path = "/v1/segments/{segment}/users/batch", tag = "users", operation_id = "create_users", request_body = Batch,
    responses((status = 200, description = "What came of each.", body = BatchResults)))]
pub(crate) async fn batch(
    State(app): State<App>,
    State(identity): State<Identity>,
    caller: Caller,
    Path(segment): Path<SegmentId>,
    seed: Seed,
    Body(batch): Body<Batch>,
) -> Answer<RowResults> {
    let segment = caller.segment(segment, KeyScope::Write).await?;
    if batch.atomic.0 {
        return all_or_none((&app, &identity, &caller), &segment, (seed, batch.users.0)).await;
    }
    let users = batch.users.0.into_iter().map(ParsedBody::parse);
    let results =
        each_alone(users, |index, new| row((&app, &identity, &caller), &segment, (index, seed.scattered(index)), new))
            .await;
    let are_final = RowResults::are_final(results.iter().filter_map(|(_, result)| result.as_ref().err()));
    let results: Vec<_> = results.into_iter().map(|(index, result)| render_row(index, result, &caller)).collect();
    Ok(RowResults { body: json!({ "results": results }), are_final })
}

/// Does something with each of new users, several at once, but one after the other where they claim the same value: what
/// came of each, in their order.
pub async fn each_alone<T, F: Future<Output = (usize, T)>>(
    users: impl IntoIterator<Item = ParsedBody<NewUser>>,
    row: impl Fn(usize, ParsedBody<NewUser>) -> F,
) -> Vec<(usize, T)> {
    let claims = |(_, new): &(usize, ParsedBody<NewUser>)| {
        // In the wider scope: at worst, two rows wait for each other that need not.
        new.body().map(|new| new.fields.unique_values(IdentificationScope::Segment)).unwrap_or_default()
    };
    let mut results = Vec::new();
    for round in rounds(users.into_iter().enumerate(), claims) {
        let made = round.into_iter().map(|(index, new)| row(index, new));
        results.extend(stream::iter(made).buffer_unordered(AT_ONCE).collect::<Vec<_>>().await);
    }
    results.sort_by_key(|(index, _)| *index);
    results
}

async fn all_or_none(
    (app, identity, caller): (&App, &Identity, &Caller),
    segment: &Segment,
    (seed, users): (Seed, Vec<Value>),
) -> Answer<RowResults> {
    let new = users.into_iter().map(ParsedBody::parse).collect();
    let made = together((app, identity), segment, (seed, new, "/users"), caller.act()).await?;
    let made = made.iter().enumerate();
    let results: Vec<_> =
        made.map(|(index, user)| json!({ "index": index, "status": 201, "id": user.id.to_string() })).collect();
    Ok(RowResults { body: json!({ "results": results }), are_final: true })
}

async fn row(
    (app, identity, caller): (&App, &Identity, &Caller),
    segment: &Segment,
    (index, id): (usize, UserId),
    new: ParsedBody<NewUser>,
) -> (usize, Result<User, Error>) {
    (index, made(app, identity, (segment, id), new, caller.act()).await)
}

fn render_row(index: usize, result: Result<User, Error>, caller: &Caller) -> Value {
    match result {
        Ok(user) => json!({ "index": index, "status": 201, "id": user.id.to_string() }),
        Err(error) => {
            let problem = Failure::from(error).problem(caller.request_id());
            json!({ "index": index, "status": problem.status, "error": problem })
        }
    }
}
