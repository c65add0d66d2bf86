//! Lists: `page[…]`, `sort`, `filter[…]`, and the links from page to page.

use std::marker::PhantomData;

use axum::extract::{FromRef, FromRequestParts, OriginalUri};
use axum::http::request::Parts;
use domain::text::Country;
use domain::{Error, FieldError, Object};
use store::search::{Found, Match, Search, Searched, Test, Value};
use store::{Filter, From, Page, Wanted, Window};

use crate::answer::Listed;
use crate::cursor::Cursor;
use crate::filter::{Asked, FilterKind, asked, filters, national_digits, numbers_of_country, sorts};
use crate::gateway::BasePath;
use crate::payload::count_fitting;
use crate::query::{Query, error};
use crate::{App, Caller, Failure};

/// What a list can be asked for.
pub trait ListSpec {
    /// The fields that it sorts by; `created_at` gives the same order as `id`.
    const SORTS: &'static [&'static str];
    /// How it is sorted by default: a field, or `-field`.
    const DEFAULT_SORT: &'static str;
    /// The fields that it filters by.
    const FILTERS: &'static [(&'static str, FilterKind)];
    /// Whether it also sorts and filters by `answers.KEY`, which [`List::resolve`] checks.
    const ANSWERS: bool = false;
    /// What else it can be asked for.
    const OPTIONS: &'static [ListOption] = &[];
}

/// A parameter of a list that is none of those that each has.
#[derive(Debug, Clone, Copy)]
pub struct ListOption {
    /// The parameter.
    pub name: &'static str,
    /// The values that it may have.
    pub values: &'static [&'static str],
    /// What comes of it, a sentence for the document.
    pub about: &'static str,
}

/// `deleted=true`, which lists what was deleted in place of what is there.
pub const DELETED: ListOption = ListOption {
    name: "deleted",
    values: &["true", "false"],
    about: "Whether those are listed that were deleted within the last 30 days, and no others.",
};

/// A request for part of a list.
#[derive(Debug, Clone)]
pub struct List<L> {
    search: Search,
    sort: String,
    /// The filters by answers, until it is known which fields there are.
    answers: Vec<Asked>,
    /// The fields whose values are phones.
    phones: Vec<String>,
    options: Vec<(String, String)>,
    number: u64,
    by_number: bool,
    path: String,
    parameters: Vec<(String, String)>,
    context: String,
    own: (&'static str, String),
    spec: PhantomData<L>,
}

/// The filters of a list, asked for elsewhere than in its own parameters: by these, `filter[name]` and `filter[name][gte]`.
///
/// # Errors
/// [`Error::Invalid`] where one is unknown, or has no such value.
pub fn filters_of<L: ListSpec>(parameters: &[(String, String)]) -> Result<Vec<store::search::Filter>, Error> {
    let mut errors = Vec::new();
    let asked = asked(parameters, &mut errors);
    let filters = filters(&asked, &names::<L>(), kind::<L>, &mut errors);
    if errors.is_empty() { Ok(filters) } else { Err(Error::Invalid(errors)) }
}

/// How the fields of answers begin in `sort` and `filter[…]`.
const ANSWERS: &str = "answers.";

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
        let mut list = Self::parse(&App::from_ref(state), query, path, &caller).await?;
        if let Some(BasePath(base_path)) = parts.extensions.get() {
            list.path.insert_str(0, base_path);
        }
        Ok(list)
    }
}

impl<L: ListSpec> List<L> {
    /// The list that a query asks for, as a route reads it that takes more than a list does; `path` is what a cursor is good
    /// for.
    ///
    /// # Errors
    /// [`Error::Invalid`] where a parameter is unknown or wrong.
    pub async fn asked(app: &App, caller: &Caller, query: Query, path: &str) -> Result<Self, Error> {
        Self::parse(app, query, path.to_owned(), &caller.credential()).await
    }

    async fn parse(app: &App, mut query: Query, path: String, caller: &str) -> Result<Self, Error> {
        let mut errors = Vec::new();
        let size = query.take("page[size]", &mut errors);
        let number = query.take("page[number]", &mut errors);
        let cursor = query.take("page[cursor]", &mut errors);
        let sort = query.take("sort", &mut errors);
        let order = sort.as_deref().unwrap_or(L::DEFAULT_SORT).to_owned();
        let is_answer = |field: &str| L::ANSWERS && field.starts_with(ANSWERS);
        let sorts =
            sorts(&order, &L::SORTS.join(", "), |field| L::SORTS.contains(&field) || is_answer(field), &mut errors);
        let filter_parameters = query.take_all("filter[");
        let asked = asked(&filter_parameters, &mut errors);
        let (answers, asked): (Vec<_>, Vec<_>) = asked.into_iter().partition(|one| is_answer(&one.field));
        let filters = filters(&asked, &names::<L>(), kind::<L>, &mut errors);
        let options = options::<L>(&mut query, &mut errors);
        let sized = number_within("page[size]", size.as_deref(), 1..=100, &mut errors);
        let numbered = number_within("page[number]", number.as_deref(), 1..=1_000_000, &mut errors);
        if number.is_some() && cursor.is_some() {
            errors.push(error("page[cursor]", "exclusive", "cannot go together with page[number]; take one of them"));
        }
        let mut parameters: Vec<_> = sort.map(|sort| ("sort".to_owned(), sort)).into_iter().collect();
        parameters.extend(filter_parameters);
        parameters.extend(options.clone());
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
        let (from, number, total) = match cursor {
            Some(Cursor { row, before: true, number, total, .. }) => (From::Before(row), number, total),
            Some(Cursor { row, number, total, .. }) => (From::After(row), number, total),
            None => (From::Offset((number_asked - 1) * size), number_asked, None),
        };
        let size = u32::try_from(size).unwrap_or(DEFAULT_SIZE);
        Ok(Self {
            search: Search { filters, sort: sorts, size, from, total },
            sort: order,
            answers,
            phones: phones::<L>(),
            options,
            number,
            by_number: numbered.is_some(),
            path,
            parameters,
            context,
            own: own.unwrap_or_else(|| ("page[number]", number.to_string())),
            spec: PhantomData,
        })
    }

    /// What an option of [`ListSpec::OPTIONS`] was given as.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().find(|(option, _)| option == name).map(|(_, value)| value.as_str())
    }

    /// Whether [`DELETED`] things are listed.
    #[must_use]
    pub fn of_deleted(&self) -> bool {
        self.option(DELETED.name) == Some("true")
    }

    /// What is looked for.
    #[must_use]
    pub fn search(&self) -> &Search {
        &self.search
    }

    /// Whether it is filtered by a phone without a calling code, for which [`List::in_country`] needs a country.
    #[must_use]
    pub fn needs_country(&self) -> bool {
        let phones = self.search.filters.iter().filter(|filter| self.phones.contains(&filter.field));
        let mut tests = phones.map(|filter| &filter.test);
        tests.any(
            |test| matches!(test, Test::AnyOf(values) if values.iter().any(|value| national_digits(value).is_some())),
        )
    }

    /// The same list, where phones without a calling code are also numbers of this country.
    #[must_use]
    pub fn in_country(mut self, country: Option<&Country>) -> Self {
        let Some(country) = country else { return self };
        for filter in self.search.filters.iter_mut().filter(|filter| self.phones.contains(&filter.field)) {
            let numbers = numbers_of_country(&filter.test, country);
            if let Test::AnyOf(values) = &mut filter.test {
                values.extend(numbers);
            }
        }
        self
    }

    /// The same list with its filters by answers; `kind` says what the answers to a field are, if it is searchable, and
    /// `sorts_by` whether a list can be sorted by them.
    ///
    /// # Errors
    /// [`Error::Invalid`] where a field is not, or a value is wrong.
    pub fn resolve(
        mut self,
        kind: impl Fn(&str) -> Option<FilterKind>,
        sorts_by: impl Fn(&str) -> bool,
    ) -> Result<Self, Error> {
        let mut errors = Vec::new();
        let of_field = |field: &str| kind(field.strip_prefix(ANSWERS).unwrap_or_default());
        let known = "answers.KEY of the searchable fields of this membership";
        self.search.filters.extend(filters(&self.answers, known, of_field, &mut errors));
        let is_phone = |field: &str| of_field(field).is_some_and(FilterKind::is_phone);
        self.phones.extend(self.answers.iter().map(|one| one.field.clone()).filter(|field| is_phone(field)));
        let known = |field: &str| L::SORTS.contains(&field) || field.strip_prefix(ANSWERS).is_some_and(&sorts_by);
        sorts(&self.sort, &format!("{}, {ANSWERS}KEY of a searchable field", L::SORTS.join(", ")), known, &mut errors);
        if errors.is_empty() { Ok(self) } else { Err(Error::Invalid(errors)) }
    }

    /// The same list without the rows of which a field, an id, is another.
    #[must_use]
    pub fn only(mut self, field: &str, id: impl ToString) -> Self {
        let test = Test::AnyOf(vec![Match::Exact(Value::word(id.to_string()))]);
        self.search.filters.push(store::search::Filter { field: field.to_owned(), test });
        self
    }

    /// The part that is wanted of a list that is read in the order of its ids and filtered by switches, words and when its
    /// rows were made.
    #[must_use]
    pub fn window(&self) -> Window {
        let wanted = |filter: &store::search::Filter| {
            let (field, kind) = L::FILTERS.iter().find(|(field, _)| *field == filter.field)?;
            let Test::AnyOf(values) = &filter.test else { return None };
            Some(Filter { field, any_of: values.iter().map(|value| wanted(*kind, value)).collect() })
        };
        let filters = self.search.filters.iter();
        let ids = filters.clone().filter(|filter| filter.field == "id").fold((None, None), |ids, filter| {
            let Test::Range { gte, lt, .. } = &filter.test else { return ids };
            let text = |end: &Option<Value>| end.as_ref().and_then(text);
            (text(gte).max(ids.0), [text(lt), ids.1].into_iter().flatten().min())
        });
        Window {
            size: self.search.size,
            from: self.search.from.clone(),
            // Every field sorts like the id, so that the first decides and the others have nothing left to break.
            descending: self.search.sort.first().is_some_and(|sort| sort.descending),
            filters: filters.filter_map(wanted).collect(),
            ids,
        }
    }

    /// A page of a window as it is answered, with its links. `total` is exact, or capped.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the deployment's secret cannot be had.
    pub async fn answer<T: Object>(
        self,
        app: &App,
        page: Page<T>,
        id: impl Fn(&T) -> String,
        total: u64,
    ) -> Result<Listed, Error> {
        let capped = !self.search.filters.is_empty() && total >= store::search::COUNT_CAP;
        let Page { rows, more_after, more_before } = page;
        let positions = rows.iter().map(id).collect();
        self.found(app, Found { rows, positions, more_after, more_before, total, capped }).await
    }

    /// A page of a list that is read as a whole, since it is short by its nature.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the deployment's secret cannot be had.
    pub async fn within<T: Object + Searched>(self, app: &App, rows: Vec<T>) -> Result<Listed, Error> {
        let found = store::search::within(rows, &self.search)?;
        self.found(app, found).await
    }

    /// A page of what was found as it is answered, with its links.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the deployment's secret cannot be had.
    pub async fn found<T: Object>(mut self, app: &App, mut found: Found<T>) -> Result<Listed, Error> {
        let mut data: Vec<_> = found.rows.iter().map(Object::show).collect();
        self.cut_short(&mut data, &mut found);
        let next = found.positions.last().filter(|_| found.more_after).map(|row| (row, false));
        let prev = found.positions.first().filter(|_| found.more_before).map(|row| (row, true));
        let total = (found.total, found.capped);
        Ok(Listed {
            data,
            number: self.number,
            size: self.search.size,
            total: found.total,
            capped: found.capped,
            current: self.link((self.own.0, self.own.1.clone())),
            next: self.beside(app, next, total).await?,
            prev: self.beside(app, prev, total).await?.or_else(|| self.last(&found)),
        })
    }

    /// Cuts a page that would not fit through Lambda. A page that is read backwards is cut at its beginning, so that the pages
    /// have all rows; where it is cut, a cursor leads on.
    fn cut_short<T>(&mut self, data: &mut Vec<serde_json::Value>, found: &mut Found<T>) {
        let is_backwards = matches!(self.search.from, From::Before(_));
        let count = if is_backwards { count_fitting(data.iter().rev()) } else { count_fitting(data.iter()) };
        if count >= data.len() {
            return;
        }
        self.by_number = false;
        let kept = if is_backwards { data.len() - count..data.len() } else { 0..count };
        found.more_before |= kept.start > 0;
        found.more_after |= kept.end < data.len();
        *data = data.drain(kept.clone()).collect();
        found.positions = found.positions.drain(kept).collect();
    }

    /// The link to the page beside `row`: by number where the client pages by number, by cursor else.
    async fn beside(
        &self,
        app: &App,
        row: Option<(&String, bool)>,
        total: (u64, bool),
    ) -> Result<Option<String>, Error> {
        let Some((row, before)) = row else {
            return Ok(None);
        };
        let number = if before { self.number.saturating_sub(1).max(1) } else { self.number + 1 };
        if self.by_number {
            return Ok(Some(self.link(("page[number]", number.to_string()))));
        }
        let cursor = Cursor::new(row.clone(), before, (number, self.search.size), total);
        let cursor = cursor.write(app, &self.context).await?;
        Ok(Some(self.link(("page[cursor]", cursor))))
    }

    /// The link from a page behind the last one, by its number, back to that.
    fn last<T>(&self, found: &Found<T>) -> Option<String> {
        let pages = found.total.div_ceil(self.search.size.max(1).into());
        let behind = self.by_number && found.positions.is_empty() && self.number > pages && pages > 0;
        behind.then(|| self.link(("page[number]", pages.to_string())))
    }

    fn link(&self, (name, value): (&str, String)) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.parameters);
        query.append_pair("page[size]", &self.search.size.to_string()).append_pair(name, &value);
        format!("{}?{}", self.path, query.finish())
    }
}

fn wanted(kind: FilterKind, value: &Match) -> Wanted {
    match value {
        Match::Prefix(prefix) => Wanted::Prefix(prefix.clone()),
        Match::Exact(value) if kind == FilterKind::Switch => Wanted::Switch(*value == Value::word(true)),
        Match::Exact(value) => Wanted::Word(text(value).unwrap_or_default()),
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) | Value::Word(text) => Some(text.clone()),
        Value::Number(_) => None,
    }
}

/// Every parameter that a list takes.
fn allowed<L: ListSpec>() -> Vec<String> {
    let fixed = ["page[size]", "page[number]", "page[cursor]", "sort"].map(str::to_owned);
    let options = L::OPTIONS.iter().map(|option| option.name.to_owned());
    let filters = L::FILTERS.iter().map(|(field, _)| format!("filter[{field}]"));
    fixed.into_iter().chain(options).chain(filters).collect()
}

fn options<L: ListSpec>(query: &mut Query, errors: &mut Vec<FieldError>) -> Vec<(String, String)> {
    let mut options = Vec::new();
    for ListOption { name, values, .. } in L::OPTIONS {
        let Some(value) = query.take(name, errors) else { continue };
        if values.contains(&value.as_str()) {
            options.push(((*name).to_owned(), value));
        } else {
            errors.push(error(name, "invalid_choice", &format!("must be one of {}", values.join(", "))));
        }
    }
    options
}

/// The fields of a list whose values are phones.
fn phones<L: ListSpec>() -> Vec<String> {
    let phones = L::FILTERS.iter().filter(|(_, kind)| kind.is_phone());
    phones.map(|(field, _)| (*field).to_owned()).collect()
}

fn kind<L: ListSpec>(name: &str) -> Option<FilterKind> {
    L::FILTERS.iter().find(|(field, _)| *field == name).map(|(_, kind)| *kind)
}

/// The fields that a list filters by, for people.
fn names<L: ListSpec>() -> String {
    let mut names: Vec<_> = L::FILTERS.iter().map(|(field, _)| *field).collect();
    names.extend(L::ANSWERS.then_some("answers.KEY"));
    names.join(", ")
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
