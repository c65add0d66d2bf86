//! Identity and tax documents: what a type is, how a number is written the same way always.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::{RefOr, Schema};

use crate::error::FieldError;
use crate::field::{Field, Pointer, named, object_schema, read_object, response_object};
use crate::normalize::{MaxLength, normalize_text};
use crate::text::{Broken, Kind, text_schema, whole};
use crate::{max_length, text, words};

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
    /// The spelling that was sent, where that is another one than the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<DocumentSpelling>,
}

text!(
    /// A document's number in the spelling that was sent.
    DocumentSpelling, whole 1..=64, example "20.123.456", normalize normalize_spelling, |_| Ok(())
);

fn normalize_spelling(text: &str, max: MaxLength) -> Result<String, Broken> {
    normalize_text(text, max).map_err(|_| UNREADABLE)
}

impl Document {
    /// Creates a document of a number in this spelling.
    ///
    /// # Errors
    /// The rule that the number breaks.
    pub fn parse(kind: DocumentType, spelling: &str) -> Result<Self, Broken> {
        let value = kind.parse_number(spelling)?;
        let spelling = DocumentSpelling::parse(spelling)?;
        let display = Some(spelling).filter(|spelling| spelling.as_str() != value.as_str());
        Ok(Self { kind, value, display })
    }

    /// Returns the number in the spelling that was sent.
    #[must_use]
    pub fn display(&self) -> &str {
        self.display.as_ref().map_or(self.value.as_str(), DocumentSpelling::as_str)
    }
}

impl Field for Document {
    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        read_object(value, at, errors, |fields| {
            let (kind, value) = (fields.take::<DocumentType>("type"), fields.take::<DocumentSpelling>("value"));
            let display = fields.take::<Option<DocumentSpelling>>("display");
            let (kind, value, display) = (kind?, value?, display?);
            match Self::parse(kind, value.as_str()) {
                Ok(document) => Some(document.with_display(display)),
                Err(broken) => {
                    fields.refuse("value", broken);
                    None
                }
            }
        })
    }

    fn show(&self) -> Value {
        serde_json::json!({ "type": self.kind.as_str(), "value": self.value.as_str(), "display": self.display() })
    }

    fn schema() -> RefOr<Schema> {
        let number = "Its number; dots, dashes, slashes and spaces are removed.";
        let fields = vec![
            ("type", "What kind of document.", true, <DocumentType as Field>::schema()),
            ("value", number, true, <DocumentNumber as Field>::schema()),
            (
                "display",
                "The number in the spelling that was sent. A spelling of another number is replaced by `value`.",
                false,
                <Option<DocumentSpelling> as Field>::schema(),
            ),
        ];
        let example = serde_json::json!({ "type": "DNI", "value": "20.123.456" });
        named(object_schema("A document: its type and number.", Some(example), fields), "DocumentFields")
    }

    fn response_schema() -> RefOr<Schema> {
        let number = "Its number, letters and digits without separators.";
        let fields = vec![
            ("type", "What kind of document.", true, DocumentType::response_schema()),
            ("value", number, true, DocumentNumber::response_schema()),
            ("display", "The number in the spelling that was sent.", true, DocumentSpelling::response_schema()),
        ];
        let example = serde_json::json!({ "type": "DNI", "value": "20123456", "display": "20.123.456" });
        named(response_object("A document: its type and number.", Some(example), fields), "Document")
    }
}

impl Document {
    fn with_display(self, display: Option<DocumentSpelling>) -> Self {
        let is_spelling =
            |spelling: &DocumentSpelling| self.kind.parse_number(spelling.as_str()).as_ref() == Ok(&self.value);
        match display {
            Some(display) if is_spelling(&display) => {
                let display = Some(display).filter(|display| display.as_str() != self.value.as_str());
                Self { display, ..self }
            }
            Some(_) | None => self,
        }
    }
}

/// A document's number: 1 to 32 letters and digits of ASCII, without separators and in upper case.
///
/// So `12.345.678-k` and `12345678K` are the same document. An RFC may have `Ñ` and `&` too, a CURP `Ñ`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct DocumentNumber {
    number: String,
    /// The spelling of a client, for rules about it; the table does not keep it here.
    written: Option<String>,
}

impl DocumentNumber {
    /// The canonical number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.number
    }

    /// Parses the number of a document of any type.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn parse(text: &str) -> Result<Self, Broken> {
        let written = normalize_spelling(text, max_length!(64))?;
        let number = canonical(&written);
        let is_letter = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, 'Ñ' | '&');
        let fits = (1..=32).contains(&number.chars().count()) && number.chars().all(is_letter);
        if fits { Ok(Self { number, written: Some(written) }) } else { Err(UNREADABLE) }
    }

    /// Returns each canonical number that this spelling can mean, by the type of the document.
    #[must_use]
    pub fn search_forms(&self) -> Vec<String> {
        let rut = chile::reduce(&self.number);
        let is_other = rut != self.number && chile::RUT.holds(&rut);
        std::iter::once(self.number.clone()).chain(is_other.then_some(rut)).collect()
    }

    /// The number in the form that `reduce` makes of it.
    fn reduced(self, reduce: fn(&str) -> String) -> Result<Self, Broken> {
        let number = reduce(&self.number);
        if number.is_empty() { Err(ALL_ZERO) } else { Ok(Self { number, ..self }) }
    }
}

impl DocumentType {
    /// Parses a number of this type.
    fn parse_number(self, text: &str) -> Result<DocumentNumber, Broken> {
        let number = DocumentNumber::parse(text)?;
        let is_plain = number.number.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if self != Self::Rfc && !is_plain {
            return Err(UNREADABLE);
        }
        if self == Self::Rut { number.reduced(chile::reduce) } else { Ok(number) }
    }
}

const UNREADABLE: Broken = ("invalid_document", "must have 1 to 32 letters and digits, A to Z and 0 to 9");
const ALL_ZERO: Broken = ("invalid_document", "must not be all zeros");

/// `text` without separators, in upper case. Other scripts' letters are left, to be refused.
fn canonical(text: &str) -> String {
    let letters = text.chars().filter(|letter| !matches!(letter, '.' | '-' | '/' | ' '));
    letters.map(|letter| if letter == 'ñ' { 'Ñ' } else { letter.to_ascii_uppercase() }).collect()
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

/// A row may hold a number from before a stricter rule.
impl From<String> for DocumentNumber {
    fn from(number: String) -> Self {
        Self { number, written: None }
    }
}

impl Field for DocumentNumber {
    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        let text = whole(value, at, errors)?;
        Self::parse(&text).map_err(|(code, message)| errors.push(at.error(code, message))).ok()
    }

    fn show(&self) -> Value {
        self.as_str().into()
    }

    fn schema() -> RefOr<Schema> {
        text_schema(Kind::whole, 64, "20.123.456")
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
