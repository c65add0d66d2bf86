//! What is answered: an id, nothing, or a bare array with its totals in headers; and which page of it is meant.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::field::Pointer;
use domain::{Error, FieldError};
use edge::{Failure, Query, Rendered};
use serde_json::{Value, json};
use store::search::{From, Search};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::names::Fields;
use crate::lenient;

/// 201 with the id of what was made.
#[derive(Debug)]
pub(crate) struct Made(pub(crate) Value);

impl Made {
    /// The thing with this id.
    pub(crate) fn id(id: impl ToString) -> Self {
        Self(json!({ "id": id.to_string() }))
    }
}

impl IntoResponse for Made {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, Rendered(self.0)).into_response()
    }
}

/// 200 and nothing to say.
pub(crate) fn done() -> Rendered {
    Rendered(json!({}))
}

/// 200 with a thing.
pub(crate) fn shown(thing: Fields) -> Rendered {
    Rendered(Value::Object(thing))
}

/// A page of a list.
#[derive(Debug)]
pub(crate) struct Rows {
    rows: Vec<Value>,
    size: u64,
    total: u64,
}

impl IntoResponse for Rows {
    fn into_response(self) -> Response {
        let headers = [("x-total-pages", self.total.div_ceil(self.size)), ("x-total-results", self.total)];
        let headers: HeaderMap = headers
            .into_iter()
            .map(|(name, number)| (axum::http::HeaderName::from_static(name), HeaderValue::from(number)))
            .collect();
        (headers, Rendered(Value::Array(self.rows))).into_response()
    }
}

/// Which page of a list is meant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pages {
    page: u64,
    size: u32,
    /// Whether those are meant that are removed, and no others.
    pub(crate) removed: bool,
}

impl Pages {
    /// The page as a search by creation.
    pub(crate) fn search(self) -> Search {
        let size = self.size;
        Search { filters: Vec::new(), sort: Vec::new(), size, from: From::Offset(self.skipped()), total: None }
    }

    /// The page as a window on a list by creation.
    pub(crate) fn window(self) -> store::Window {
        let from = From::Offset(self.skipped());
        store::Window { size: self.size, from, descending: false, filters: Vec::new(), ids: (None, None) }
    }

    fn skipped(self) -> u64 {
        (self.page - 1) * u64::from(self.size)
    }

    /// The page, once it was read.
    pub(crate) fn rows(self, rows: impl IntoIterator<Item = Fields>, total: u64) -> Rows {
        Rows { rows: rows.into_iter().map(Value::Object).collect(), size: self.size.into(), total }
    }

    /// The page of all that were removed of a list.
    pub(crate) fn removed<T>(self, all: &[T], shown: impl Fn(&T) -> Fields) -> Rows {
        let removed = |thing| {
            let mut shown = shown(thing);
            shown.insert("removed".to_owned(), true.into());
            shown
        };
        self.of(all.iter().map(removed).collect())
    }

    /// The page of a list that was read as a whole.
    pub(crate) fn of(self, all: Vec<Fields>) -> Rows {
        let (total, skipped) = (all.len() as u64, usize::try_from(self.skipped()).unwrap_or(usize::MAX));
        self.rows(all.into_iter().skip(skipped).take(self.size as usize), total)
    }
}

impl IntoParams for Pages {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let whole = |most: u32, usual: u32| {
            let schema = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(most));
            schema.default(Some(usual.into()))
        };
        let switch = ObjectBuilder::new().schema_type(Type::Boolean).default(Some(false.into()));
        let each = [
            ("page", "Which page.", whole(1_000_000, 1)),
            ("no_items", "How many rows a page has.", whole(500, 10)),
            ("removed", "The rows that are removed, and no others.", switch),
        ];
        let parameter = |(name, description, schema): (&str, &str, ObjectBuilder)| {
            let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query);
            parameter.description(Some(description)).schema(Some(schema)).build()
        };
        each.into_iter().map(parameter).collect()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Pages {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let mut query = Query::from_request_parts(parts, state).await?;
        let mut errors = Vec::new();
        let page = number(&mut query, ("page", 1), 1_000_000, &mut errors);
        let size = number(&mut query, ("no_items", 10), 500, &mut errors);
        let removed = match parameter(&mut query, "removed", &mut errors).map(Value::from) {
            None => false,
            Some(removed) => lenient::switch(&removed).unwrap_or_else(|| {
                errors.push(Pointer::root().child("removed").error("invalid_choice", "must be true or false"));
                false
            }),
        };
        if !errors.is_empty() {
            return Err(Error::Invalid(errors).into());
        }
        Ok(Self { page, size: u32::try_from(size).unwrap_or(1), removed })
    }
}

/// Takes a parameter without outer white space; a blank one is as one that was left out.
pub(crate) fn parameter(query: &mut Query, name: &str, errors: &mut Vec<FieldError>) -> Option<String> {
    let text = query.take(name, errors)?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn number(query: &mut Query, (name, usual): (&str, u64), most: u64, errors: &mut Vec<FieldError>) -> u64 {
    let Some(text) = parameter(query, name, errors) else { return usual };
    match text.parse() {
        Ok(number) if (1..=most).contains(&number) => number,
        _ => {
            let message = format!("must be a whole number from 1 to {most}");
            errors.push(Pointer::root().child(name).error("out_of_range", &message));
            usual
        }
    }
}
