//! Identity and tax documents: what a type is, how a number is written the same way always.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::{RefOr, Schema};

use crate::error::FieldError;
use crate::field::{Field, Pointer, named, object_schema, read_object, response_object};
use crate::text::{Broken, Kind, digits, text_schema};
use crate::words;

pub(crate) mod argentina;
pub(crate) mod brazil;
pub(crate) mod chile;
pub(crate) mod colombia;
mod country;
pub(crate) mod mexico;
pub(crate) mod peru;
mod rule;

pub use country::Purpose;
pub(crate) use rule::Rule;

/// A document of a user: its type and its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// What kind of document.
    #[serde(rename = "type")]
    pub kind: DocumentType,
    /// Its number without separators, in upper case.
    pub value: DocumentNumber,
}

impl Field for Document {
    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        read_object(value, at, errors, |fields| {
            let (kind, value) = (fields.take("type"), fields.take("value"));
            let document = Self { kind: kind?, value: value? };
            if document.kind != DocumentType::Rfc && document.value.as_str().contains('&') {
                fields.refuse("value", UNREADABLE);
                return None;
            }
            Some(document)
        })
    }

    fn show(&self) -> Value {
        serde_json::json!({ "type": self.kind.as_str(), "value": self.value.as_str() })
    }

    fn schema() -> RefOr<Schema> {
        let number = "Its number; dots, dashes, slashes and spaces do not count.";
        let fields = vec![
            ("type", "What kind of document.", true, <DocumentType as Field>::schema()),
            ("value", number, true, <DocumentNumber as Field>::schema()),
        ];
        let example = serde_json::json!({ "type": "DNI", "value": "20.123.456" });
        named(object_schema("A document: its type and number.", Some(example), fields), "DocumentFields")
    }

    fn response_schema() -> RefOr<Schema> {
        let number = "Its number, letters and digits without separators.";
        let fields = vec![
            ("type", "What kind of document.", true, DocumentType::response_schema()),
            ("value", number, true, DocumentNumber::response_schema()),
        ];
        let example = serde_json::json!({ "type": "DNI", "value": "20123456" });
        named(response_object("A document: its type and number.", Some(example), fields), "Document")
    }
}

/// A document's number: 1 to 32 letters and digits, written without separators and in upper case, so that
/// `12.345.678-k` and `12345678K` are the same document. An RFC may have `&` too.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DocumentNumber {
    number: String,
    /// As a client wrote it, for the rules that ask for that; the table does not keep it.
    written: Option<String>,
}

impl DocumentNumber {
    /// The canonical number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.number
    }

    /// The number that `text` writes.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn parse(text: &str) -> Result<Self, Broken> {
        let number = canonical(text);
        let fits = (1..=32).contains(&number.chars().count())
            && number.chars().all(|letter| letter.is_alphanumeric() || letter == '&');
        if fits { Ok(Self { number, written: Some(text.to_owned()) }) } else { Err(UNREADABLE) }
    }
}

const UNREADABLE: Broken = ("invalid_document", "must have 1 to 32 letters and digits");

/// `text` without separators, in upper case.
fn canonical(text: &str) -> String {
    text.chars().filter(|letter| !matches!(letter, '.' | '-' | '/' | ' ')).flat_map(char::to_uppercase).collect()
}

/// However they were written.
impl PartialEq for DocumentNumber {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for DocumentNumber {}

impl From<DocumentNumber> for String {
    fn from(number: DocumentNumber) -> Self {
        number.number
    }
}

impl TryFrom<String> for DocumentNumber {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).map(|parsed| Self { written: None, ..parsed }).map_err(|(_, message)| message)
    }
}

impl Field for DocumentNumber {
    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        let text = digits(value, at, errors)?;
        Self::parse(&text).map_err(|(code, message)| errors.push(at.error(code, message))).ok()
    }

    fn show(&self) -> Value {
        self.as_str().into()
    }

    fn schema() -> RefOr<Schema> {
        text_schema(Kind::digits, 64, "20.123.456")
    }

    fn response_schema() -> RefOr<Schema> {
        text_schema(Kind::plain, 64, "20123456")
    }
}

words! {
    /// How strictly document numbers are read.
    #[derive(Default)]
    pub enum Checks as "DocumentChecks" {
        /// Length and structure.
        #[default]
        Format = "format",
        /// The check digit too.
        Checksum = "checksum",
    }
}

words! {
    /// The kinds of documents.
    pub enum DocumentType {
        /// National identity document.
        Dni = "DNI",
        /// Libreta de Enrolamiento (ARG).
        Le = "LE",
        /// Libreta Cívica (ARG).
        Lc = "LC",
        /// Cédula de Identidad.
        Ci = "CI",
        /// Passport.
        Passport = "PASSPORT",
        /// Registro Geral (BRA).
        Rg = "RG",
        /// Driving licence (BRA).
        Cnh = "CNH",
        /// Voter's credential (MEX).
        Ine = "INE",
        /// Cédula de Ciudadanía (COL).
        Cc = "CC",
        /// Foreigner's card (COL, PER).
        Ce = "CE",
        /// Permiso por Protección Temporal (COL).
        Ppt = "PPT",
        /// Rol Único Tributario (CHL).
        Rut = "RUT",
        /// Tax number (ARG).
        Cuil = "CUIL",
        /// Tax number (BRA).
        Cpf = "CPF",
        /// Tax number (MEX).
        Rfc = "RFC",
        /// Tax number (COL).
        Nit = "NIT",
        /// Tax number (PER).
        Ruc = "RUC",
        /// A document of no known type.
        Document = "DOCUMENT",
    }
}

#[cfg(test)]
mod tests;
