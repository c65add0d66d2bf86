//! `filter[…]` and `sort` of a list: what is asked for, as the table's search takes it.

use domain::answer::search_forms;
use domain::clock::Date;
use domain::custom_field::FieldType;
use domain::document::DocumentNumber;
use domain::field::Pointer;
use domain::text::{Country, Phone, ReferenceId};
use domain::{Field as _, FieldError, Time, phone};
use store::search::{Filter, Match, Sort, Test, Value};
use unicode_normalization::UnicodeNormalization as _;

use crate::query::error;

/// What the values of a filter are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterKind {
    /// `true` or `false`.
    Switch,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Text: case and accents are ignored, and `abc*` is a prefix.
    Text,
    /// An id or a code, compared as it is; `abc*` is a prefix.
    Word,
    /// The number of a document, compared without separators and case; `abc*` is a prefix.
    Document,
    /// An e-mail, compared without case; `abc*` is a prefix. A space is a `+` that was not escaped.
    Email,
    /// A username, compared without case; `abc*` is a prefix. A space is a `+` that was not escaped.
    Username,
    /// An id in another system, in any width; `abc*` is a prefix. A space may be a `+` that was not escaped.
    Identifier,
    /// An answer of text to a field of this type, in any spelling of it; `abc*` is a prefix.
    Answer(FieldType),
    /// A phone, found by any spelling of it; `+52*` is a prefix. A space in front is a `+` that was not escaped.
    Phone,
    /// A number; `[gte]` and the like are ranges.
    Number,
    /// A day; `[gte]` and the like are ranges.
    Date,
    /// A time; `[gte]` and the like are ranges.
    Time,
    /// The time at which the row was made, which its id holds.
    Made,
}

/// So many values may stand in one filter: each is a query of its own.
pub(crate) const MOST_VALUES: usize = 50;

/// The ends of a range.
pub(crate) const OPERATORS: [&str; 4] = ["gt", "gte", "lt", "lte"];

impl FilterKind {
    /// Whether its values have an order that ranges can use.
    pub(crate) fn has_ranges(self) -> bool {
        matches!(self, Self::Number | Self::Date | Self::Time | Self::Made)
    }

    /// Whether its values are phones.
    pub(crate) fn is_phone(self) -> bool {
        matches!(self, Self::Phone | Self::Answer(FieldType::Phone))
    }

    fn has_prefixes(self) -> bool {
        match self {
            Self::Text | Self::Word | Self::Document | Self::Email | Self::Phone => true,
            Self::Username | Self::Identifier | Self::Answer(_) => true,
            Self::Switch | Self::Choice(_) | Self::Number | Self::Date | Self::Time | Self::Made => false,
        }
    }

    fn prefixes(self, text: &str) -> Vec<String> {
        match (self, DocumentNumber::parse(text)) {
            (Self::Document, Ok(number)) => vec![number.as_str().to_owned()],
            (Self::Email | Self::Username, _) => vec![escape_plus(text)],
            (Self::Phone | Self::Answer(FieldType::Phone), _) => phone::search_forms(text),
            (Self::Answer(kind), Ok(number)) if kind.is_document() => vec![number.as_str().to_owned()],
            (Self::Answer(FieldType::Email), _) => vec![escape_plus(text)],
            (Self::Word | Self::Identifier, _) => with_plus(text.trim_start().nfc().collect()),
            _ => vec![text.trim_start().nfc().collect()],
        }
    }

    /// Each value that a row can have which `text` means.
    fn matches(self, text: &str, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Vec<Match>> {
        let words = |forms: Vec<String>| forms.into_iter().map(|form| Match::Exact(Value::word(form))).collect();
        match self {
            _ if text.trim().is_empty() => {}
            Self::Phone => return Some(words(phone::search_forms(text))),
            Self::Word => return Some(words(word_forms(text))),
            Self::Identifier => {
                let spelled =
                    ReferenceId::parse(text).map_or_else(|_| text.trim().to_owned(), |id| id.as_str().to_owned());
                return Some(words(with_plus(spelled)));
            }
            Self::Answer(kind) => {
                let forms =
                    search_forms(kind, &if kind == FieldType::Email { escape_plus(text) } else { text.to_owned() });
                return Some(forms.into_iter().map(|form| Match::Exact(Value::Text(form))).collect());
            }
            Self::Text | Self::Document | Self::Email | Self::Username | Self::Switch | Self::Choice(_) => {}
            Self::Number | Self::Date | Self::Time | Self::Made => {}
        }
        if self != Self::Document {
            return self.value(text, at, errors).map(|value| vec![Match::Exact(value)]);
        }
        let number = DocumentNumber::parse(text).map_err(|(code, message)| errors.push(at.error(code, message)));
        number.ok().map(|number| words(number.search_forms()))
    }

    fn value(self, text: &str, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Value> {
        let mut refuse = |code, message: &str| {
            errors.push(at.error(code, message));
            None
        };
        match self {
            Self::Switch if matches!(text, "true" | "false") => Some(Value::word(text)),
            Self::Switch => refuse("invalid_choice", "must be true, false, or both divided by a comma"),
            Self::Choice(choices) if choices.contains(&text) => Some(Value::word(text)),
            Self::Choice(choices) => refuse("invalid_choice", &format!("must be among {}", choices.join(", "))),
            _ if self.has_prefixes() && text.trim().is_empty() => refuse("required", "must have a value"),
            Self::Text | Self::Answer(_) => Some(Value::Text(text.trim().to_owned())),
            Self::Email | Self::Username => Some(Value::Text(escape_plus(text))),
            Self::Word | Self::Identifier | Self::Document | Self::Phone => Some(Value::word(text.trim().nfc())),
            Self::Number => Value::number(text).or_else(|| refuse("invalid_number", "must be a number")),
            Self::Date => Date::read(text.into(), at, errors).map(|date| word(&date.show())),
            Self::Time | Self::Made => Time::read(escape_plus(text).into(), at, errors).map(Value::word),
        }
    }
}

/// The text of what has no spaces: one within it is a plus that was not escaped.
pub(crate) fn escape_plus(text: &str) -> String {
    text.trim().replace(' ', "+")
}

/// The forms in which rows may have a word: ids of Muster are in lower case.
fn word_forms(text: &str) -> Vec<String> {
    let mut forms = with_plus(text.trim().nfc().collect());
    let id = uuid::Uuid::try_parse(text.trim()).map(|id| id.to_string());
    forms.extend(id.ok().filter(|id| id.eq_ignore_ascii_case(text.trim()) && id != text.trim()));
    forms
}

/// A text, and where it has spaces, the one that a client may have meant whose plus signs were not escaped.
fn with_plus(text: String) -> Vec<String> {
    let other = text.contains(' ').then(|| text.replace(' ', "+"));
    std::iter::once(text).chain(other).collect()
}

/// The numbers of a country that a filter on a phone can mean by digits without a calling code.
pub(crate) fn numbers_of_country(test: &Test, country: &Country) -> Vec<Match> {
    let Test::AnyOf(values) = test else { return Vec::new() };
    let number = |value: &Match| {
        let phone = Phone::parse_in(national_digits(value)?, country)?;
        Some(Match::Exact(match value {
            Match::Exact(Value::Text(_)) => Value::Text(phone.as_str().to_owned()),
            Match::Exact(Value::Word(_) | Value::Number(_)) | Match::Prefix(_) => Value::word(phone.as_str()),
        }))
    };
    values.iter().filter_map(number).collect()
}

/// The digits that a value of a filter has without a calling code.
pub(crate) fn national_digits(value: &Match) -> Option<&str> {
    match value {
        Match::Exact(Value::Word(digits) | Value::Text(digits)) => {
            Some(digits.as_str()).filter(|digits| !digits.starts_with('+'))
        }
        Match::Exact(Value::Number(_)) | Match::Prefix(_) => None,
    }
}

/// Splits the values of a filter at commas; `\,` is a comma within a value, `\\` a backslash, and `\*` a star that makes no
/// prefix. The second part says what a star in it means.
fn split_values(text: &str) -> Vec<(String, Star)> {
    let (mut values, mut value, mut star) = (Vec::new(), String::new(), Star::None);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let escaped = letters.next_if(|next| letter == '\\' && matches!(next, ',' | '\\' | '*'));
        match (letter, escaped) {
            (_, Some(escaped)) => value.push(escaped),
            (',', None) => values.push((std::mem::take(&mut value), std::mem::replace(&mut star, Star::None))),
            ('*', None) if star == Star::None && letters.peek().is_none_or(|next| *next == ',') => star = Star::Prefix,
            ('*', None) if value.is_empty() => star = Star::InFront,
            (letter, None) => value.push(letter),
        }
    }
    values.push((value, star));
    values
}

/// Returns the values of a filter as they are meant: without the escapes, and with the star of a prefix.
#[must_use]
pub fn filter_values(text: &str) -> Vec<String> {
    let star = |star| match star {
        Star::Prefix => "*",
        Star::None | Star::InFront => "",
    };
    split_values(text).into_iter().map(|(value, end)| format!("{value}{}", star(end))).collect()
}

/// What a star in a value of a filter means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Star {
    /// There is none.
    None,
    /// It stands at the end: the value is a prefix.
    Prefix,
    /// It stands in front, which no filter takes.
    InFront,
}

fn word(shown: &serde_json::Value) -> Value {
    Value::word(shown.as_str().unwrap_or_default())
}

/// A filter as it stands in the query.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    parameter: String,
    pub(crate) field: String,
    operator: Option<String>,
    values: String,
}

/// Takes the parameters `filter[field]` and `filter[field][operator]` apart.
pub(crate) fn asked(given: &[(String, String)], errors: &mut Vec<FieldError>) -> Vec<Asked> {
    let mut all: Vec<Asked> = Vec::new();
    for (parameter, values) in given {
        let inner = parameter.strip_prefix("filter[").and_then(|rest| rest.strip_suffix(']')).unwrap_or_default();
        let (field, operator) = inner.split_once("][").map_or((inner, None), |(field, end)| (field, Some(end)));
        if all.iter().any(|one| one.parameter == *parameter) {
            errors.push(error(parameter, "repeated", "must come once; divide values by commas"));
            continue;
        }
        all.push(Asked {
            parameter: parameter.clone(),
            field: field.to_owned(),
            operator: operator.map(str::to_owned),
            values: values.clone(),
        });
    }
    all
}

/// The filters that were asked for; `kind` says what the values of a field are, if there is such a filter.
pub(crate) fn filters(
    asked: &[Asked],
    known: &str,
    kind: impl Fn(&str) -> Option<FilterKind>,
    errors: &mut Vec<FieldError>,
) -> Vec<Filter> {
    let mut filters = Vec::new();
    for one in asked {
        let at = Pointer::root().child(&one.parameter);
        let Some(kind) = kind(&one.field) else {
            errors.push(at.error("unknown", &format!("is not a filter here; known are: {known}")));
            continue;
        };
        let test = match one.operator.as_deref() {
            None => any_of(one, kind, &at, errors),
            Some(operator) if kind.has_ranges() && OPERATORS.contains(&operator) => {
                kind.value(&one.values, &at, errors).map(|value| end(operator, value))
            }
            Some(_) if kind.has_ranges() => {
                errors.push(at.error("unknown", "must end with one of [gt], [gte], [lt], [lte], or none of them"));
                None
            }
            Some(_) => {
                errors.push(at.error("unknown", "has no ranges; they are for numbers, dates and times"));
                None
            }
        };
        match test {
            Some(test) if kind == FilterKind::Made => match made(test) {
                Some(range) => filters.push(range),
                None => errors.push(at.error("too_many", "takes one time, or the ends of a range")),
            },
            Some(test) => filters.push((one.field.clone(), test)),
            None => {}
        }
    }
    filters.into_iter().map(|(field, test)| Filter { field, test }).collect()
}

fn any_of(asked: &Asked, kind: FilterKind, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Test> {
    let values = split_values(&asked.values);
    if values.len() > MOST_VALUES {
        errors.push(at.error("too_many", &format!("must have at most {MOST_VALUES} values")));
        return None;
    }
    let matches = values.into_iter().map(|(text, star)| match star {
        Star::Prefix if !kind.has_prefixes() => kind.matches(&format!("{text}*"), at, errors),
        Star::Prefix if text.is_empty() => {
            errors.push(at.error("required", "must have something in front of *"));
            None
        }
        Star::Prefix => Some(kind.prefixes(&text).into_iter().map(Match::Prefix).collect()),
        Star::InFront => {
            let message =
                r"takes a whole value, or the beginning of one as abc*; write \* for a star that is part of it";
            errors.push(at.error("invalid_filter", message));
            None
        }
        Star::None => kind.matches(&text, at, errors),
    });
    let matches: Vec<_> = matches.collect::<Vec<_>>().into_iter().collect::<Option<_>>()?;
    Some(Test::AnyOf(matches.into_iter().flatten().collect()))
}

fn end(operator: &str, value: Value) -> Test {
    let mut range = (None, None, None, None);
    match operator {
        "gt" => range.0 = Some(value),
        "gte" => range.1 = Some(value),
        "lt" => range.2 = Some(value),
        _ => range.3 = Some(value),
    }
    let (gt, gte, lt, lte) = range;
    Test::Range { gt, gte, lt, lte }
}

/// The time at which a row was made, as a range of ids, which begin with it.
fn made(test: Test) -> Option<(String, Test)> {
    let first = |value: &Value, more: i64| match value {
        Value::Word(text) => {
            let time: Time = serde_json::from_value(text.as_str().into()).ok()?;
            Some(Value::word(Time::from_millis(time.millis() + more).first_id()))
        }
        Value::Text(_) | Value::Number(_) => None,
    };
    let range = match test {
        Test::Range { gt, gte, lt, lte } => {
            let from = gt.as_ref().and_then(|time| first(time, 1)).or(gte.as_ref().and_then(|time| first(time, 0)));
            let to = lte.as_ref().and_then(|time| first(time, 1)).or(lt.as_ref().and_then(|time| first(time, 0)));
            Test::Range { gt: None, gte: from, lt: to, lte: None }
        }
        Test::AnyOf(times) => {
            let [Match::Exact(time)] = times.as_slice() else { return None };
            Test::Range { gt: None, gte: first(time, 0), lt: first(time, 1), lte: None }
        }
    };
    Some(("id".to_owned(), range))
}

/// The order that was asked for; `known` says whether a field sorts.
pub(crate) fn sorts(sort: &str, fields: &str, known: impl Fn(&str) -> bool, errors: &mut Vec<FieldError>) -> Vec<Sort> {
    let mut sorts: Vec<Sort> = Vec::new();
    for part in sort.split(',') {
        let (field, descending) = part.strip_prefix('-').map_or((part, false), |field| (field, true));
        // Ids begin with the time at which they were made.
        let column = if field == "created_at" { "id" } else { field };
        if !known(field) {
            let message = format!("must name fields among {fields}, each with - before it to go down");
            errors.push(error("sort", "unknown", &message));
            break;
        }
        if sorts.iter().any(|sort| sort.field == column) {
            errors.push(error("sort", "repeated", "must name each field once; created_at and id are the same order"));
            break;
        }
        sorts.push(Sort { field: column.to_owned(), descending });
    }
    sorts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_found_in_any_case() {
        let id = "0199d2a4-5c00-7000-8000-00000000ab01";
        assert_eq!(word_forms(id), [id]);
        assert_eq!(word_forms(&id.to_uppercase()), [id.to_uppercase(), id.to_owned()]);
        assert_eq!(word_forms(&id.replace('-', "")), [id.replace('-', "")]);
    }

    #[test]
    fn a_comma_within_a_value_is_escaped() {
        let value = |text: &str, is_prefix: bool| (text.to_owned(), if is_prefix { Star::Prefix } else { Star::None });
        for (text, expected) in [
            ("a,b", vec![value("a", false), value("b", false)]),
            (r"Ruiz\, Hijos", vec![value("Ruiz, Hijos", false)]),
            (r"a*,b\*", vec![value("a", true), value("b*", false)]),
            (r"a\\,b", vec![value(r"a\", false), value("b", false)]),
            (r"a\b*c", vec![value(r"a\b*c", false)]),
            ("*ui*", vec![("ui*".to_owned(), Star::InFront)]),
            (r"\*ui*", vec![value("*ui", true)]),
            ("", vec![value("", false)]),
            (",", vec![value("", false), value("", false)]),
        ] {
            assert_eq!(split_values(text), expected, "{text}");
        }
    }
}
