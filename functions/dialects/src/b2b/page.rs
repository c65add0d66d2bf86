//! Pages, which are counted from 1.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use domain::field::Pointer;
use domain::{Error, FieldError};
use edge::{App, Base, Failure, Query};
use serde_json::{Value, json};
use store::From;
use store::search::{Found, Search};

/// The most rows that a page has.
pub(super) const MOST: u32 = 500;

/// How many rows a page has where the client does not say.
pub(super) const DEFAULT_SIZE: u32 = 10;

/// The greatest number of a page.
pub(super) const MOST_PAGES: u32 = 1_000_000;

/// Which page is wanted of a list.
#[derive(Debug, Clone)]
pub(super) struct Page {
    pub(super) id: Option<String>,
    pub(super) date: Option<String>,
    number: u32,
    size: u32,
    /// Where the list is, for the client's next request.
    list: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Page
where
    App: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let base = Base::from_request_parts(parts, state).await?;
        let mut query = Query::from_request_parts(parts, state).await?;
        let mut errors = Vec::new();
        let number = whole(&mut query, "page", MOST_PAGES, &mut errors).unwrap_or(1);
        let size = whole(&mut query, "pageSize", MOST, &mut errors).unwrap_or(DEFAULT_SIZE);
        let mut text = |name: &str| query.take(name, &mut errors).filter(|text| !text.trim().is_empty());
        let (id, date) = (text("id"), text("date"));
        if !errors.is_empty() {
            return Err(Error::Invalid(errors).into());
        }
        Ok(Self { id, date, number, size, list: base.url(parts.uri.path()) })
    }
}

/// The number that a parameter is, if it is given. A larger one than `most` is `most`: a page says how many items it has,
/// and where the next one is.
fn whole(query: &mut Query, name: &str, most: u32, errors: &mut Vec<FieldError>) -> Option<u32> {
    let text = query.take(name, errors).filter(|text| !text.trim().is_empty())?;
    let number = text.trim().parse::<u32>().ok().filter(|number| *number > 0).map(|number| number.min(most));
    if number.is_none() {
        let message = format!("must be a whole number from 1 to {most}");
        errors.push(Pointer::root().child(name).error("out_of_range", &message));
    }
    number
}

impl Page {
    /// What to look for.
    pub(super) fn search(&self) -> Search {
        let from = From::Offset(u64::from(self.number - 1) * u64::from(self.size));
        Search { filters: Vec::new(), sort: Vec::new(), size: self.size, from, total: None }
    }

    /// The page that was found, with its rows as they are shown.
    pub(super) fn shown<T>(&self, found: &Found<T>, data: Vec<Value>) -> Value {
        self.of(data, found.total, found.more_after)
    }

    /// A list of one row.
    pub(super) fn one(&self, row: Value) -> Value {
        Self { number: 1, ..self.clone() }.of(vec![row], 1, false)
    }

    fn of(&self, data: Vec<Value>, total: u64, more: bool) -> Value {
        json!({
            "data": data,
            "pagination": {
                "totalItems": total,
                "itemsPerPage": self.size,
                "currentPage": self.number,
                "totalPages": total.div_ceil(self.size.into()),
                "nextPageUrl": more.then(|| self.next()),
            },
        })
    }

    fn next(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let date = self.date.as_ref().map(|date| ("date", date));
        query.extend_pairs(date);
        query.append_pair("page", &(self.number + 1).to_string()).append_pair("pageSize", &self.size.to_string());
        format!("{}?{}", self.list, query.finish())
    }
}
