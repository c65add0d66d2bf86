//! Pages: `per_page` and `cursor`, or `page`, are asked for, `links.next` and `meta.next_cursor` answered.

use edge::{Listed, Query};
use serde_json::{Map, Value, json};

/// The parameters of a list, and what the edge calls them.
pub(super) const PARAMETERS: [(&str, &str); 3] =
    [("per_page", "page[size]"), ("cursor", "page[cursor]"), ("page", "page[number]")];

/// The parameters of a list as the edge knows them. Blank ones are as if they were left out, and others are ignored: clients
/// add their own to each request, such as one that keeps caches away.
pub(super) fn known_parameters(query: Query) -> Query {
    let is_known = |name: &str| PARAMETERS.iter().any(|(known, _)| *known == name);
    let query = query.retained(|name, value| is_known(name) && !value.trim().is_empty());
    let trim = |query: Query, (name, _): &(&str, &str)| query.rewritten(name, |value| Some(value.trim().to_owned()));
    PARAMETERS.iter().fold(query, trim).renamed(&PARAMETERS)
}

/// A page with where it goes on: relative to the address that was asked, whose tokens are none of a page's business.
pub(super) fn paged(data: Vec<Value>, listed: &Listed, more: Vec<(&str, Value)>) -> Value {
    let next_cursor = listed.next_cursor();
    let next = next_cursor.as_ref().map(|cursor| format!("?per_page={}&cursor={cursor}", listed.size()));
    let mut meta = Map::from_iter([("next_cursor".to_owned(), json!(next_cursor))]);
    meta.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
    json!({ "data": data, "links": { "next": next }, "meta": meta })
}
