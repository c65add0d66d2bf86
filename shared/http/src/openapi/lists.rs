//! Lists in a document: their answers, and `page[…]`, `sort` and `filter[…]`.

use std::marker::PhantomData;

use serde_json::json;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn, ParameterStyle};
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, KnownFormat, ObjectBuilder, OneOfBuilder, SchemaFormat, Type,
};
use utoipa::openapi::{Ref, RefOr, Required, Schema};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::text;
use crate::filter::{FilterKind, MOST_VALUES, OPERATORS};
use crate::list::{List, ListSpec};

/// The schema of a page of `T`s.
#[derive(Debug)]
pub struct ListOf<T>(PhantomData<T>);

impl<T: ToSchema> PartialSchema for ListOf<T> {
    fn schema() -> RefOr<Schema> {
        let rows = ArrayBuilder::new().items(Ref::from_schema_name(T::name())).max_items(Some(100));
        ObjectBuilder::new()
            .property("data", rows.description(Some("The rows of the page.")))
            .property("page", domain::field::described(page(), "Place of the page in the list."))
            .property("links", domain::field::described(links(), "Links to this page and its neighbours."))
            .required("data")
            .required("page")
            .required("links")
            .description(Some(format!("A page of {} objects.", T::name())))
            .into()
    }
}

fn page() -> RefOr<Schema> {
    let whole = |about: &str| ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).description(Some(about));
    let capped = ObjectBuilder::new().schema_type(Type::Boolean);
    let capped = capped.description(Some("True if more rows exist than `total_items` counts; absent otherwise."));
    ObjectBuilder::new()
        .title(Some("Page"))
        .property("number", whole("Number of the page, from 1."))
        .property("size", whole("Rows per page, 1 to 100."))
        .property("total_items", whole("Number of rows on all pages."))
        .property("total_pages", whole("Number of pages."))
        .property("total_capped", capped)
        .required("number")
        .required("size")
        .required("total_items")
        .required("total_pages")
        .description(Some("The place of a page in its list."))
        .examples([json!({ "number": 1, "size": 20, "total_items": 1, "total_pages": 1 })])
        .into()
}

fn links() -> RefOr<Schema> {
    let link = |about: &str| {
        let null = ObjectBuilder::new().schema_type(Type::Null);
        OneOfBuilder::new().item(text()).item(null).description(Some(about))
    };
    ObjectBuilder::new()
        .title(Some("Links"))
        .property("self", text().description(Some("Path and query of this page.")))
        .property("next", link("Path and query of the next page; null on the last one."))
        .property("prev", link("Path and query of the previous page; null on the first one."))
        .required("self")
        .required("next")
        .required("prev")
        .description(Some("Links from page to page."))
        .examples([json!({ "self": "/v1/segments?page%5Bsize%5D=20&page%5Bnumber%5D=1", "next": null, "prev": null })])
        .into()
}

impl<T: ToSchema> ToSchema for ListOf<T> {
    fn name() -> std::borrow::Cow<'static, str> {
        format!("{}List", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

/// The parameters of a list.
impl<L: ListSpec> IntoParams for List<L> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let whole = |low: u32, high: u32| {
            ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(low)).maximum(Some(high))
        };
        let mut parameters = vec![
            query("page[size]", "Rows per page, 1 to 100. Default `20`.", whole(1, 100).default(Some(json!(20)))),
            query("page[number]", "Number of the page, from 1; excludes `page[cursor]`.", whole(1, 1_000_000)),
            query("page[cursor]", "Cursor from a link of another page, valid for 24 hours.", text()),
            several("sort", &sort_about::<L>(), sort_items::<L>()),
        ];
        for option in L::OPTIONS {
            parameters.push(query(option.name, option.about, option_schema(option.values)));
        }
        for (field, kind) in L::FILTERS {
            let about = format!("Only rows whose `{field}` is one of these values. {}", about(*kind));
            parameters.push(several(&format!("filter[{field}]"), about.trim(), filter_schema(*kind)));
            for operator in OPERATORS.into_iter().filter(|_| kind.has_ranges()) {
                let about = format!("Only rows whose `{field}` is {} this.", in_words(operator));
                parameters.push(query(&format!("filter[{field}][{operator}]"), &about, filter_schema(*kind)));
            }
        }
        parameters.extend(L::ANSWERS.then(filter_by_answers));
        parameters
    }
}

fn query(name: &str, about: &str, schema: impl Into<RefOr<Schema>>) -> Parameter {
    let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query);
    parameter.required(Required::False).description(Some(about)).schema(Some(schema)).build()
}

/// A parameter of several values, which commas divide.
fn several(name: &str, about: &str, items: impl Into<RefOr<Schema>>) -> Parameter {
    let items = ArrayBuilder::new().items(items.into()).min_items(Some(1)).max_items(Some(MOST_VALUES));
    let mut parameter = query(name, about, items);
    (parameter.style, parameter.explode) = (Some(ParameterStyle::Form), Some(false));
    parameter
}

/// The filters by answers, whose keys only the membership knows: an object of parameters, each of which is one of the query.
fn filter_by_answers() -> Parameter {
    let pattern = r"^filter\[answers\.[a-z][a-z0-9_]{0,63}\](\[(gt|gte|lt|lte)\])?$";
    let value = text().min_length(Some(1)).description(Some("Values, divided by commas, or the end of a range."));
    let parameters = ObjectBuilder::new()
        .property_names(Some(text().pattern(Some(pattern)).build()))
        .additional_properties(Some(AdditionalProperties::RefOr(value.into())))
        .examples([json!({ "filter[answers.bank]": "bbva", "filter[answers.income][gte]": "30000" })]);
    let about = "Only members with these answers: `filter[answers.KEY]=a,b`, where KEY is the key of a searchable field. \
        Numbers and dates also take ranges: `filter[answers.KEY][gte]=30000`. Each property of this object is a parameter of \
        its own.";
    let mut parameter = query("filter[answers.KEY]", about, parameters);
    (parameter.style, parameter.explode) = (Some(ParameterStyle::Form), Some(true));
    parameter
}

fn in_words(operator: &str) -> &'static str {
    match operator {
        "gt" => "greater than",
        "gte" => "greater than or equal to",
        "lt" => "less than",
        _ => "less than or equal to",
    }
}

fn sort_about<L: ListSpec>() -> String {
    let fields: Vec<_> = L::SORTS.iter().map(|field| format!("`{field}`")).collect();
    let answers = if L::ANSWERS { " and `answers.KEY`, where KEY is the key of a searchable field" } else { "" };
    let (fields, default) = (fields.join(", "), L::DEFAULT_SORT);
    format!("Fields to sort by: {fields}{answers}; `-` before a field sorts descending. Default `{default}`.")
}

/// `-field`; where a list is also sorted by answers, only its membership knows their keys.
fn sort_items<L: ListSpec>() -> ObjectBuilder {
    let mut fields = L::SORTS.join("|").replace('.', "\\.");
    if L::ANSWERS {
        fields.push_str("|answers\\.[a-z][a-z0-9_]*");
    }
    text().pattern(Some(format!("^-?({fields})$"))).examples([json!(L::DEFAULT_SORT)])
}

fn option_schema(values: &[&str]) -> ObjectBuilder {
    match values {
        ["true", "false"] => ObjectBuilder::new().schema_type(Type::Boolean).default(Some(json!(false))),
        values => text().enum_values(Some(values.iter().copied())),
    }
}

fn about(kind: FilterKind) -> &'static str {
    match kind {
        FilterKind::Text => "`abc*` is a prefix, `\\,` a comma within a value; case and accents are ignored.",
        FilterKind::Word | FilterKind::Identifier => "`abc*` is a prefix, `\\,` a comma within a value.",
        FilterKind::Answer(_) => "Any spelling of the answer; `abc*` is a prefix.",
        FilterKind::Email | FilterKind::Username => "`abc*` is a prefix; case is ignored.",
        FilterKind::Phone => "Any spelling of a phone; `+52*` is a prefix.",
        FilterKind::Document => "`abc*` is a prefix; separators and case are ignored.",
        FilterKind::Made => "Only one time may be given.",
        FilterKind::Switch | FilterKind::Choice(_) | FilterKind::Number | FilterKind::Date | FilterKind::Time => "",
    }
}

fn filter_schema(kind: FilterKind) -> ObjectBuilder {
    match kind {
        FilterKind::Switch => ObjectBuilder::new().schema_type(Type::Boolean),
        FilterKind::Choice(choices) => text().enum_values(Some(choices.iter().copied())),
        FilterKind::Text | FilterKind::Word | FilterKind::Document | FilterKind::Email | FilterKind::Phone => {
            text().min_length(Some(1))
        }
        FilterKind::Username | FilterKind::Identifier | FilterKind::Answer(_) => text().min_length(Some(1)),
        FilterKind::Number => ObjectBuilder::new().schema_type(Type::Number),
        FilterKind::Date => text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Date))),
        FilterKind::Time | FilterKind::Made => text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))),
    }
}
