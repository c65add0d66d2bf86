//! `GET /v1/users/exists`: whether a value is taken.

use axum::extract::State;
use domain::document::DocumentSpelling;
use domain::text::Country;
use domain::user::Unique;
use domain::{
    Document, Email, Error, Field, FieldError, KeyScope, NamedUsername, ReferenceId, SegmentId, field::Pointer,
};
use edge::{Answer, App, Caller, Query, Rendered, Visitor};
use serde_json::json;
use utoipa::ToSchema;

/// Whether somebody has the value.
#[derive(Debug, ToSchema)]
pub(crate) struct Existence {
    /// Whether a user has the value.
    #[expect(dead_code, reason = "the shape of the answer, for the OpenAPI document")]
    exists: bool,
}

/// What may be asked for.
const KNOWN: &str = "email, username, reference_id, identification_type with identification_value";

/// Tells whether a master user, or one of a segment of one's own, has this e-mail, username, reference id or identity document.
#[utoipa::path(get, path = "/v1/users/exists", tag = "users", operation_id = "check_user_existence",
    params(
        ("email" = Option<String>, Query, description = "An e-mail, in any case."),
        ("username" = Option<String>, Query, description = "A username, in any case."),
        ("reference_id" = Option<String>, Query, description = "A reference id."),
        ("identification_type" = Option<String>, Query, description = "A document's type, with its value."),
        ("identification_value" = Option<String>, Query, description = "A document's number, with its type."),
        ("operation_country" = Option<String>, Query, description = "The document's country, where identifications are unique by country."),
        ("segment_id" = Option<SegmentId>, Query, description = "Ask for the users of this segment, not for master users."),
    ),
    responses((status = 200, description = "Whether it is taken.", body = Existence)))]
pub(crate) async fn exists(
    State(app): State<App>,
    caller: Caller,
    visitor: Visitor,
    mut query: Query,
) -> Answer<Rendered> {
    let mut errors = Vec::new();
    let asked = asked(&mut query, &mut errors);
    let segment = parameter::<SegmentId>(&mut query, "segment_id", &mut errors);
    query.finish(&format!("{KNOWN}; operation_country, segment_id"), errors)?;
    let [unique] = asked.as_slice() else {
        return Err(Error::invalid("", "one_of", &format!("Ask for exactly one of {KNOWN}.")).into());
    };
    // By address too: whoever asks for long lists of people may have signed up more than once.
    let (live, counted, by_source, holder) = tokio::join!(
        reaches(&caller, segment),
        caller.asks_who_exists(),
        visitor.asks_who_exists(),
        app.store.holder(segment.into(), unique)
    );
    live?;
    counted?;
    by_source?;
    Ok(Rendered(json!({ "exists": holder?.is_some() })))
}

/// Lets every user and each key with `read` pass who asks for master users, and whoever has the segment that is asked for.
async fn reaches(caller: &Caller, segment: Option<SegmentId>) -> Result<(), Error> {
    match segment {
        Some(segment) => caller.segment(segment, KeyScope::Read).await.map(drop),
        None => caller.access().await?.require_scopes(),
    }
}

/// The values that the query names.
fn asked(query: &mut Query, errors: &mut Vec<FieldError>) -> Vec<Unique> {
    let email = parameter::<Email>(query, "email", errors).as_ref().map(Unique::email);
    let username = parameter::<NamedUsername>(query, "username", errors);
    let username = username.map(|named| Unique::username(&named.0));
    let reference = parameter::<ReferenceId>(query, "reference_id", errors).as_ref().map(Unique::reference);
    let country = parameter::<Country>(query, "operation_country", errors);
    let document = document(query, errors);
    let document = document.map(|document| Unique::identification(&document, country.as_ref()));
    [email, username, reference, document].into_iter().flatten().collect()
}

fn document(query: &mut Query, errors: &mut Vec<FieldError>) -> Option<Document> {
    let kind = parameter(query, "identification_type", errors);
    let value = parameter(query, "identification_value", errors);
    if kind.is_some() != value.is_some() && errors.is_empty() {
        let at = Pointer::root().child("identification_type");
        errors.push(at.error("required", "goes together with identification_value"));
    }
    let value: DocumentSpelling = value?;
    let parsed = Document::parse(kind?, value.as_str());
    let at = Pointer::root().child("identification_value");
    parsed.map_err(|(code, message)| errors.push(at.error(code, message))).ok()
}

fn parameter<T: Field>(query: &mut Query, name: &str, errors: &mut Vec<FieldError>) -> Option<T> {
    let text = match name {
        "email" | "username" => query.take_unspaced(name, errors)?,
        _ => query.take(name, errors)?,
    };
    T::read(text.into(), &Pointer::root().child(name), errors)
}
