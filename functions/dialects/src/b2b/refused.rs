//! Failures, in the words that this dialect has for them.

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::{Error, FieldError};
use edge::{Failure, Problem};
use serde_json::{Value, json};

use crate::b2b::format::Format;
use crate::lenient::text;

/// A failed request, and what it was that is not there.
#[derive(Debug)]
pub(super) struct Refused {
    failure: Failure,
    absent: Option<String>,
}

impl Refused {
    /// `error`, where what is not there is the `entity` with this id.
    pub(super) fn of(error: Error, entity: &str, id: &str) -> Self {
        // What is deleted is not there for anybody here.
        let deleted = matches!(&error, Error::Conflict(fields) if fields.iter().any(|field| field.code == "deleted"));
        let error = if deleted { Error::NotFound } else { error };
        let absent = matches!(error, Error::NotFound).then(|| format!("No entity found for {entity} with {id}."));
        Self { failure: error.into(), absent }
    }
}

impl Refused {
    /// `error` of a write of these bodies, where a partner that one of them names has been deleted meanwhile.
    pub(super) fn of_bodies(error: Error, bodies: &[Value]) -> Self {
        let Error::Invalid(fields) = &error else { return error.into() };
        let is_partner = |field: &&FieldError| field.code == "unknown" && field.pointer.ends_with("/partner_id");
        let Some(field) = fields.iter().find(is_partner) else { return error.into() };
        // A single body has no index in its pointers.
        let index = field.pointer.split('/').find_map(|part| part.parse().ok()).unwrap_or(0_usize);
        let id = bodies.get(index).and_then(|body| body.get("businessPartnerId")).and_then(text);
        Self::of(Error::NotFound, "BusinessPartner", &id.unwrap_or_default())
    }
}

impl<E: Into<Failure>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self { failure: error.into(), absent: None }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = self.failure.into_response();
        if let (Some(absent), Some(problem)) = (self.absent, response.extensions_mut().get_mut::<Problem>()) {
            problem.detail = absent;
        }
        response
    }
}

/// The code of a write that names no segment.
pub(super) const NO_CONNECTION: &str = "no_connection";

/// The names that this dialect has for the domain's.
const NAMES: [(&str, &str); 7] = [
    ("reference_id", "idRemote"),
    ("language", "languageId"),
    ("partner_id", "businessPartnerId"),
    ("valid_until", "dateValid"),
    ("contact_name", "contactName"),
    ("commercial_name", "commercialName"),
    ("users", "body"),
];

/// A failure as its client expects it.
pub(super) fn tell(problem: &Problem, headers: &HeaderMap) -> Response {
    let (status, words) = told(problem);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Format::of(headers).answer(status, json!({ "code": status.as_u16(), "error": words }))
}

fn told(problem: &Problem) -> (u16, String) {
    let first = problem.errors.first();
    let words = match (problem.status, first) {
        (_, Some(error)) if error.code == NO_CONNECTION => {
            return (500, "Invalid connection name, you cannot insert in default".to_owned());
        }
        (503, _) => return (500, "Database connection failed.".to_owned()),
        (401, _) => "Unauthorized.".to_owned(),
        (429, _) => "Too Many Requests".to_owned(),
        (400, Some(error)) if !error.pointer.is_empty() => parameter(error),
        (409, Some(error)) if error.code == "taken" => duplicate(&problem.errors),
        _ => problem.detail.clone(),
    };
    (problem.status, words)
}

fn parameter(error: &FieldError) -> String {
    let name = name(error);
    match error.code {
        "required" => format!("Parameter {name} is required"),
        _ => format!("Parameter {name} {}", error.message),
    }
}

fn duplicate(errors: &[FieldError]) -> String {
    let names: Vec<_> = errors.iter().map(name).collect();
    if names.iter().any(|name| ["email", "username"].contains(&name.as_str())) {
        return "Duplicate entry => Care with email and username".to_owned();
    }
    format!("Duplicate entry => Care with {}", names.join(" and "))
}

/// The name of a field, without the place of its row.
fn name(error: &FieldError) -> String {
    let part = error.pointer.split('/').rfind(|part| part.parse::<usize>().is_err()).unwrap_or_default();
    NAMES.iter().find(|(ours, _)| *ours == part).map_or(part, |(_, theirs)| theirs).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partner_that_is_deleted_meanwhile_is_not_found() {
        let bodies = [json!({ "businessPartnerId": "erp-1" }), json!({ "businessPartnerId": 77 })];
        for (pointer, id) in [("/1/partner_id", "77"), ("/0/partner_id", "erp-1"), ("/partner_id", "erp-1")] {
            let refused =
                Refused::of_bodies(Error::invalid(pointer, "unknown", "must be the id of a partner"), &bodies);
            assert!(matches!(refused.failure, Failure::Domain(Error::NotFound)), "{refused:?}");
            assert_eq!(refused.absent, Some(format!("No entity found for BusinessPartner with {id}.")));
        }
        let other =
            Refused::of_bodies(Error::invalid("/1/status_id", "unknown", "must be the id of a status"), &bodies);
        assert!(matches!(other.failure, Failure::Domain(Error::Invalid(_))) && other.absent.is_none(), "{other:?}");
    }
}
