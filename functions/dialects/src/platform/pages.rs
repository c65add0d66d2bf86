//! Pages: `per_page` and `cursor`, or `page`, are asked for, `links.next` and `meta.next_cursor` answered.

use edge::{Listed, Query};
use serde_json::{Map, Value, json};

/// The parameters of a list, and what the edge calls them.
pub(super) const PARAMETERS: [(&str, &str); 3] =
    [("per_page", "page[size]"), ("cursor", "page[cursor]"), ("page", "page[number]")];

/// The parameters of a list as the edge knows them.
pub(super) fn renamed(query: Query) -> Query {
    query.renamed(&PARAMETERS)
}

/// A page with where it goes on: relative to the address that was asked, whose tokens are none of a page's business.
pub(super) fn paged(data: Vec<Value>, listed: &Listed, more: Vec<(&str, Value)>) -> Value {
    let next_cursor = listed.next_cursor();
    let next = next_cursor.as_ref().map(|cursor| format!("?per_page={}&cursor={cursor}", listed.size()));
    let mut meta = Map::from_iter([("next_cursor".to_owned(), json!(next_cursor))]);
    meta.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
    json!({ "data": data, "links": { "next": next }, "meta": meta })
}
