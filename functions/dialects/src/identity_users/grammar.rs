//! The grammar of the list: every parameter is one of these, spelled so, or the request is refused.

use domain::user::Gender;
use domain::{DocumentType, Error, FieldError, field::Pointer};
use edge::{FilterKind, ListSpec, Query, filter_values};
use serde_json::{Value, json};

use super::fields::LISTED;

/// How card users are listed.
#[derive(Debug, Clone, Copy)]
pub(super) struct CardUsers;

impl ListSpec for CardUsers {
    const SORTS: &'static [&'static str] = &["id", "gender", "identification_type", "identification_value", "status"];
    const DEFAULT_SORT: &'static str = "id";
    const FILTERS: &'static [(&'static str, FilterKind)] = &[
        ("gender", FilterKind::Choice(Gender::NAMES)),
        ("identification_type", FilterKind::Choice(DocumentType::NAMES)),
        ("identification_value", FilterKind::Document),
        // Nobody is deleted here.
        ("status", FilterKind::Choice(&["ACTIVE", "BLOCKED"])),
        ("name", FilterKind::Text),
        ("last_name", FilterKind::Text),
        ("email", FilterKind::Email),
        ("birthdate", FilterKind::Date),
        ("tax_identification_type", FilterKind::Choice(DocumentType::NAMES)),
        ("tax_identification_value", FilterKind::Document),
        ("tax_condition", FilterKind::Word),
        ("operation_country", FilterKind::Word),
        ("partner_id", FilterKind::Word),
    ];
}

/// Which page is asked for, counted from 0 as `current_page` is.
const PAGE: &str = "page[number]";

/// The last page that can be asked for.
const LAST: u32 = 999_999;

/// The parameters beside filters.
const PLAIN: [&str; 3] = [PAGE, "page[size]", "sort"];

/// The filters, as these clients spell them.
const FILTERS: [&str; 13] = [
    "gender",
    "identification_type",
    "identification_value",
    "status",
    "name",
    "surname",
    "email",
    "birthdate",
    "tax_identification_type",
    "tax_identification_value",
    "tax_condition",
    "country_code",
    "company_id",
];

/// The query without parameters of pages and order that are blank, which are as if they were left out.
fn without_blanks(query: Query) -> Query {
    query.retained(|name, value| !(PLAIN.contains(&name) && value.trim().is_empty()))
}

/// The query in our words, and the filters of it as they were asked for.
///
/// # Errors
/// [`Error::Invalid`] naming each parameter that is not of the grammar.
pub(super) fn read(query: Query) -> Result<(Query, Vec<Value>), Error> {
    let query = without_blanks(query);
    let (mut errors, mut applied): (Vec<FieldError>, Vec<Value>) = (Vec::new(), Vec::new());
    for (parameter, values) in query.iter() {
        if PLAIN.contains(&parameter) {
            if parameter == PAGE && page(values).is_none() {
                let message = format!("must be a whole number from 0 to {LAST}");
                errors.push(Pointer::root().child(PAGE).error("out_of_range", &message));
            }
            continue;
        }
        let field = parameter.strip_prefix("filter[").and_then(|rest| rest.strip_suffix(']'));
        match field.filter(|field| FILTERS.contains(field)) {
            Some(field) => {
                // As it was meant, and not as it came over the wire.
                let values = if field == "email" { values.replace(' ', "+") } else { values.to_owned() };
                applied.push(json!({ "field": field, "values": filter_values(&values) }));
            }
            None => errors.push(unknown(parameter)),
        }
    }
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    let names = LISTED.map(|(theirs, ours)| (format!("filter[{theirs}]"), format!("filter[{ours}]")));
    let names: Vec<_> = names.iter().map(|(theirs, ours)| (theirs.as_str(), ours.as_str())).collect();
    // The edge counts from 1.
    let query = query.rewritten(PAGE, |number| page(number).map(|number| (number + 1).to_string()));
    Ok((query.renamed(&names), applied))
}

fn page(number: &str) -> Option<u32> {
    number.parse().ok().filter(|number| *number <= LAST)
}

fn unknown(parameter: &str) -> FieldError {
    let message =
        format!("is not a parameter here; known are: {}, and filter[…] of {}", PLAIN.join(", "), FILTERS.join(", "));
    // A pointer, so that what it is told about can be told from a field of a body.
    Pointer::root().child(format!("parameter:{parameter}")).error("unknown", &message)
}
