//! Lists: `page[…]`, `sort`, `filter[…]`, and the links from page to page.

use std::marker::PhantomData;

use axum::extract::{FromRef, FromRequestParts, OriginalUri};
use axum::http::request::Parts;
use domain::{Error, FieldError, Object};
use store::{Filter, From, Page, Window};

use crate::answer::Listed;
use crate::cursor::Cursor;
use crate::query::{Query, error};
use crate::{App, Caller, Failure};

/// What a list can be asked for.
pub trait ListSpec {
    /// The fields that it sorts by; all give the order of creation, which the ids have.
    const SORTS: &'static [&'static str];
    /// How it is sorted by default: a field, or `-field`.
    const DEFAULT_SORT: &'static str;
    /// The switches that it filters by.
    const FILTERS: &'static [&'static str];
}

/// A request for part of a list.
#[derive(Debug, Clone)]
pub struct List<L> {
    /// The window that is asked for.
    pub window: Window,
    number: u64,
    by_number: bool,
    path: String,
    parameters: Vec<(String, String)>,
    context: String,
    own: (&'static str, String),
    spec: PhantomData<L>,
}

/// What `page[size]` is when it is not given.
const DEFAULT_SIZE: u32 = 20;

impl<S: Send + Sync, L: ListSpec> FromRequestParts<S> for List<L>
where
    App: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        // A cursor belongs to its caller.
        let caller = Caller::from_request_parts(parts, state).await?.credential();
        let path = parts.extensions.get().map_or(&parts.uri, |OriginalUri(uri)| uri).path().to_owned();
        let query = Query::from_request_parts(parts, state).await?;
        Ok(Self::parse(&App::from_ref(state), query, path, &caller).await?)
    }
}

impl<L: ListSpec> List<L> {
    async fn parse(app: &App, mut query: Query, path: String, caller: &str) -> Result<Self, Error> {
        let mut errors = Vec::new();
        let size = query.take("page[size]", &mut errors);
        let number = query.take("page[number]", &mut errors);
        let cursor = query.take("page[cursor]", &mut errors);
        let sort = query.take("sort", &mut errors);
        let descending = sorted::<L>(sort.as_deref().unwrap_or(L::DEFAULT_SORT), &mut errors);
        let (filters, filter_parameters) = filtered::<L>(&mut query, &mut errors);
        let sized = number_within("page[size]", size.as_deref(), 1..=100, &mut errors);
        let numbered = number_within("page[number]", number.as_deref(), 1..=1_000_000, &mut errors);
        if number.is_some() && cursor.is_some() {
            errors.push(error("page[cursor]", "exclusive", "cannot go together with page[number]; take one of them"));
        }
        let mut parameters: Vec<_> = sort.map(|sort| ("sort".to_owned(), sort)).into_iter().collect();
        parameters.extend(filter_parameters);
        let context = format!("{caller}|{path}|{parameters:?}");
        let own = cursor.clone().map(|text| ("page[cursor]", text));
        let cursor = match cursor {
            Some(text) => {
                let cursor = Cursor::read(app, &text, &context).await?;
                if cursor.is_none() {
                    let message = "is not a cursor of this list, or is older than 24 hours; begin again without it";
                    errors.push(error("page[cursor]", "invalid_cursor", message));
                }
                cursor
            }
            None => None,
        };
        query.finish(&allowed::<L>().join(", "), errors)?;
        let size = sized.or(cursor.as_ref().map(|cursor| cursor.size.into())).unwrap_or(DEFAULT_SIZE.into());
        let number_asked = numbered.unwrap_or(1);
        let (from, number) = match cursor {
            Some(Cursor { row, before: true, number, .. }) => (From::Before(row), number),
            Some(Cursor { row, number, .. }) => (From::After(row), number),
            None => (From::Offset((number_asked - 1) * size), number_asked),
        };
        let window = Window { size: u32::try_from(size).unwrap_or(DEFAULT_SIZE), from, descending, filters };
        Ok(Self {
            window,
            number,
            by_number: numbered.is_some(),
            path,
            parameters,
            context,
            own: own.unwrap_or_else(|| ("page[number]", number.to_string())),
            spec: PhantomData,
        })
    }

    /// The page as it is answered, with its links. `total` is exact, or capped.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the deployment's secret cannot be had.
    pub async fn answer<T: Object>(
        self,
        app: &App,
        page: &Page<T>,
        id: impl Fn(&T) -> String,
        total: u64,
    ) -> Result<Listed, Error> {
        let next = page.rows.last().filter(|_| page.more_after).map(|row| (id(row), false));
        let prev = page.rows.first().filter(|_| page.more_before).map(|row| (id(row), true));
        Ok(Listed {
            data: page.rows.iter().map(Object::show).collect(),
            number: self.number,
            size: self.window.size,
            total,
            capped: !self.window.filters.is_empty() && total >= 10_000,
            current: self.link((self.own.0, self.own.1.clone())),
            next: self.beside(app, next).await?,
            prev: self.beside(app, prev).await?,
        })
    }

    /// The link to the page beside `row`: by number where the client pages by number, by cursor else.
    async fn beside(&self, app: &App, row: Option<(String, bool)>) -> Result<Option<String>, Error> {
        let Some((row, before)) = row else {
            return Ok(None);
        };
        let number = if before { self.number.saturating_sub(1).max(1) } else { self.number + 1 };
        if self.by_number {
            return Ok(Some(self.link(("page[number]", number.to_string()))));
        }
        let cursor = Cursor::new(row, before, number, self.window.size).write(app, &self.context).await?;
        Ok(Some(self.link(("page[cursor]", cursor))))
    }

    fn link(&self, (name, value): (&str, String)) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.parameters);
        query.append_pair("page[size]", &self.window.size.to_string()).append_pair(name, &value);
        format!("{}?{}", self.path, query.finish())
    }
}

/// Every parameter that a list takes.
fn allowed<L: ListSpec>() -> Vec<String> {
    let fixed = ["page[size]", "page[number]", "page[cursor]", "sort"].map(str::to_owned);
    fixed.into_iter().chain(L::FILTERS.iter().map(|field| format!("filter[{field}]"))).collect()
}

fn sorted<L: ListSpec>(sort: &str, errors: &mut Vec<FieldError>) -> bool {
    let mut fields = sort.split(',').map(|field| field.strip_prefix('-').map_or((field, false), |field| (field, true)));
    let first = fields.next().unwrap_or_default();
    if std::iter::once(first).chain(fields).any(|(field, _)| !L::SORTS.contains(&field)) {
        let message = format!("must name fields among {}, each with - before it to go down", L::SORTS.join(", "));
        errors.push(error("sort", "unknown", &message));
    }
    // Every field sorts like the id, so that the first decides and the others have nothing left to break.
    first.1
}

fn filtered<L: ListSpec>(query: &mut Query, errors: &mut Vec<FieldError>) -> (Vec<Filter>, Vec<(String, String)>) {
    let given = query.take_all("filter[");
    let mut filters: Vec<Filter> = Vec::new();
    for (parameter, values) in &given {
        let name = parameter.strip_prefix("filter[").and_then(|rest| rest.strip_suffix(']'));
        let Some(field) = L::FILTERS.iter().find(|field| Some(**field) == name) else {
            let message = format!("is not a filter here; known are: {}", L::FILTERS.join(", "));
            errors.push(error(parameter, "unknown", &message));
            continue;
        };
        if filters.iter().any(|filter| filter.field == *field) {
            errors.push(error(parameter, "repeated", "must come once; divide values by commas"));
            continue;
        }
        let any_of = values.split(',').map(|value| value.parse().ok()).collect::<Option<Vec<bool>>>();
        match any_of.filter(|any_of| any_of.len() <= 2) {
            Some(any_of) => filters.push(Filter { field, any_of }),
            None => errors.push(error(parameter, "invalid_choice", "must be true, false, or both divided by a comma")),
        }
    }
    (filters, given)
}

fn number_within(
    name: &str,
    text: Option<&str>,
    range: std::ops::RangeInclusive<u64>,
    errors: &mut Vec<FieldError>,
) -> Option<u64> {
    let number = text?.parse().ok().filter(|number| range.contains(number));
    if number.is_none() {
        let message = format!("must be a whole number from {} to {}", range.start(), range.end());
        errors.push(error(name, "out_of_range", &message));
    }
    number
}
