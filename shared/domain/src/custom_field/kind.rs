//! The types of custom fields, and what files may hold.

use crate::document::{Rule, argentina, brazil, chile, colombia, mexico, peru};
use crate::words;

words! {
    /// What kind of answer a field takes.
    pub enum FieldType {
        /// One choice of a list.
        Dropdown = "dropdown",
        /// Some choices of a list.
        Multiple = "multiple",
        /// A decimal number.
        Number = "number",
        /// A line of at most 255 characters.
        String = "string",
        /// Lines of together at most 4000 characters.
        Text = "text",
        /// An absolute `http` or `https` address of at most 2048 characters.
        Url = "url",
        /// An address as of a url, or a file: the id of an upload.
        Link = "link",
        /// An e-mail address.
        Email = "email",
        /// Yes or no.
        Boolean = "boolean",
        /// A day, `YYYY-MM-DD`.
        Date = "date",
        /// A phone number, E.164.
        Phone = "phone",
        /// A file: the id of an upload.
        File = "file",
        /// Citizen's key (MEX).
        Curp = "curp",
        /// Tax number (MEX).
        Rfc = "rfc",
        /// Bank account (MEX).
        Clabe = "clabe",
        /// Tax number of a person (BRA).
        Cpf = "cpf",
        /// Tax number of a company (BRA).
        Cnpj = "cnpj",
        /// Tax number (ARG).
        Cuil = "cuil",
        /// Tax number (COL).
        Nit = "nit",
        /// Tax number (PER).
        Ruc = "ruc",
        /// Identity and tax number (CHL).
        Rut = "rut",
    }
}

/// What the values of answers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// Text.
    Text,
    /// Decimal numbers.
    Number,
    /// Days.
    Date,
    /// Yes or no.
    Boolean,
    /// Several texts each.
    Several,
}

impl FieldType {
    /// What the values of its answers are.
    #[must_use]
    pub fn values(self) -> Values {
        match self {
            Self::Number => Values::Number,
            Self::Date => Values::Date,
            Self::Boolean => Values::Boolean,
            Self::Multiple => Values::Several,
            Self::Dropdown
            | Self::String
            | Self::Text
            | Self::Url
            | Self::Link
            | Self::Email
            | Self::Phone
            | Self::File
            | Self::Curp
            | Self::Rfc
            | Self::Clabe
            | Self::Cpf
            | Self::Cnpj
            | Self::Cuil
            | Self::Nit
            | Self::Ruc
            | Self::Rut => Values::Text,
        }
    }

    /// Whether answers are choices of a list.
    #[must_use]
    pub fn chooses(self) -> bool {
        matches!(self, Self::Dropdown | Self::Multiple)
    }

    /// Whether no two members may have the same answer, if the field says so.
    #[must_use]
    pub fn can_be_unique(self) -> bool {
        !self.chooses() && !matches!(self, Self::Boolean | Self::File | Self::Text)
    }

    /// Whether files answer it, maybe beside other answers.
    #[must_use]
    pub fn takes_files(self) -> bool {
        matches!(self, Self::File | Self::Link)
    }

    /// Whether an answer is the number of a document.
    #[must_use]
    pub fn is_document(self) -> bool {
        self.document().is_some()
    }

    /// The rule of a document's number.
    pub(crate) fn document(self) -> Option<Rule> {
        match self {
            Self::Curp => Some(mexico::CURP),
            Self::Rfc => Some(mexico::RFC),
            Self::Clabe => Some(mexico::CLABE),
            Self::Cpf => Some(brazil::CPF),
            Self::Cnpj => Some(brazil::CNPJ),
            Self::Cuil => Some(argentina::CUIL),
            Self::Nit => Some(colombia::NIT),
            Self::Ruc => Some(peru::RUC),
            Self::Rut => Some(chile::RUT),
            Self::Dropdown
            | Self::Multiple
            | Self::Number
            | Self::String
            | Self::Text
            | Self::Url
            | Self::Link
            | Self::Email
            | Self::Boolean
            | Self::Date
            | Self::Phone
            | Self::File => None,
        }
    }

    /// Whether members can be found by their answer, if the field says so.
    #[must_use]
    pub fn can_be_searched(self) -> bool {
        !matches!(self, Self::File | Self::Text)
    }
}

words! {
    /// What a file may hold.
    pub enum ContentType {
        /// A PNG image.
        Png = "image/png",
        /// A JPEG image.
        Jpeg = "image/jpeg",
        /// A PDF document.
        Pdf = "application/pdf",
        /// A certificate, `.cer`.
        Certificate = "application/x-x509-ca-cert",
        /// A private key in PKCS #8, `.key`.
        Key = "application/pkcs8",
    }
}

impl ContentType {
    /// Every content type.
    pub const ALL: [Self; 5] = [Self::Png, Self::Jpeg, Self::Pdf, Self::Certificate, Self::Key];
}
