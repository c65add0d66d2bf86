//! Looks through the file of an import: its header, how many rows it has, and in which batches they are done.

use domain::transfer::{Column, TextEncoding, columns, find_column, unescape_formula};
use domain::{Body as _, Format, UserFields};
use serde::{Deserialize, Serialize};

use crate::encoding::{Evidence, byte_order_mark, decode_beginning, length_in_file};
use crate::rows::{Content, Cutter, Notation, Position, Row, delimiter, delimiter_line};

/// How long a header may be.
pub(crate) const HEADER: u64 = 64 * 1024;

/// How many rows a batch has at most.
const ROWS: u64 = 500;

/// A batch that has so many bytes has rows enough.
const BYTES: u64 = 1024 * 1024;

/// Some rows of a file: a stretch of it that begins and ends where rows do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Where the file has it.
    pub from: u64,
    /// Where the file goes on behind it.
    pub to: u64,
    /// The number of its first row, from 1.
    pub row: u64,
    /// On which line the stretch begins, from 1.
    pub line: u64,
}

/// What the beginning of a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// The names of the columns; an empty one where a column has none.
    pub(crate) columns: Vec<String>,
    /// How the file is written, as far as its beginning says.
    pub(crate) notation: Notation,
    /// Whether a byte order mark says how its text is encoded, so that its rows need not.
    pub(crate) is_marked: bool,
    /// Where the file goes on behind the header.
    pub(crate) end: Position,
}

/// The columns that a table of users may have.
pub(crate) fn known() -> Vec<Column> {
    columns(&UserFields::schema())
}

/// Reads the beginning of a file; `whole` says whether that is all of it.
///
/// # Errors
/// What is wrong with it, in a sentence.
pub(crate) fn header(format: Format, beginning: &[u8], whole: bool) -> Result<Header, String> {
    let mark = byte_order_mark(beginning);
    let (encoding, mark_length) = mark.unwrap_or_default();
    let mut notation = Notation { format, delimiter: ',', encoding };
    let mut position = Position::new(mark_length as u64, 1);
    if format == Format::Ndjson {
        return Ok(Header { columns: Vec::new(), notation, is_marked: true, end: position });
    }
    let text = decode_beginning(encoding, beginning.get(mark_length..).unwrap_or_default());
    match delimiter_line(&text) {
        Some((named, length)) => {
            let line = text.get(..length).unwrap_or_default();
            notation.delimiter = named;
            position = Position::new(position.at + length_in_file(encoding, line.as_bytes()), 2);
        }
        None => notation.delimiter = delimiter(&text),
    }
    let mut first = first_row(notation, position, (beginning, whole));
    if mark.is_none() && first.as_ref().is_some_and(|row| row.content == Content::NotText) {
        notation.encoding = TextEncoding::Windows1252;
        first = first_row(notation, position, (beginning, whole));
    }
    let Some(Row { end, content: Content::Cells(names), .. }) = first else {
        return Err("The file must begin with a header of at most 64 KiB that names its columns.".to_owned());
    };
    Ok(Header { columns: column_names(&names)?, notation, is_marked: mark.is_some(), end })
}

fn first_row(notation: Notation, position: Position, (beginning, whole): (&[u8], bool)) -> Option<Row> {
    let from = usize::try_from(position.at).unwrap_or(usize::MAX);
    let (mut cutter, mut rows) = (Cutter::new(notation, position), Vec::new());
    cutter.feed(beginning.get(from..).unwrap_or_default(), |row| rows.push(row));
    if whole && rows.is_empty() {
        cutter.end(|row| rows.push(row));
    }
    rows.into_iter().next()
}

/// The names of the columns that the cells of a header name. Those without a name are empty, and none is at the end.
fn column_names(cells: &[String]) -> Result<Vec<String>, String> {
    let known = known();
    let mut names: Vec<String> = Vec::new();
    for cell in cells {
        let header = unescape_formula(cell.trim());
        let name = match find_column(&known, header) {
            Some(column) => column.name().to_owned(),
            None if header.is_empty() => String::new(),
            None => return Err(unknown_column(&known, header)),
        };
        if let Some(first) = names.iter().position(|other| !name.is_empty() && *other == name) {
            let (first, second, name) = (first + 1, names.len() + 1, cut(&name));
            return Err(format!(
                "The file has two columns {name:?}, columns {first} and {second}; remove one of them."
            ));
        }
        names.push(name);
    }
    let named = names.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1);
    names.truncate(named);
    Ok(names)
}

fn unknown_column(known: &[Column], header: &str) -> String {
    let allowed: Vec<_> = known.iter().map(Column::name).collect();
    format!("The file has a column {:?}; known are: {}, and metadata.KEY.", cut(header), allowed.join(", "))
}

/// As much of a name as a sentence has room for.
fn cut(name: &str) -> String {
    name.chars().take(100).collect()
}

/// Divides rows into batches, as they are found.
#[derive(Debug, Default)]
pub(crate) struct Divider {
    rows: u64,
    batches: Vec<Batch>,
    open: Option<Batch>,
    /// What the rows say of the encoding.
    pub(crate) evidence: Evidence,
}

impl Divider {
    pub(crate) fn see(&mut self, row: &Row) {
        self.rows += 1;
        match &row.content {
            Content::NotText => self.evidence.other += 1,
            Content::Cells(cells) => self.evidence.utf8 += u64::from(cells.iter().any(|cell| !cell.is_ascii())),
            Content::Line(_) | Content::TooLong | Content::OpenQuote => {}
        }
        let Position { at: from, line, .. } = row.start;
        let batch = self.open.get_or_insert(Batch { from, to: from, row: self.rows, line });
        batch.to = row.end.at;
        if self.rows - batch.row + 1 >= ROWS || batch.to - batch.from >= BYTES {
            self.batches.extend(self.open.take());
        }
    }

    /// The batches, and how many rows they have together.
    pub(crate) fn end(mut self) -> (Vec<Batch>, u64) {
        self.batches.extend(self.open.take());
        (self.batches, self.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(columns: &[&str]) -> Vec<String> {
        columns.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_header_names_columns_between_which_something_stands() {
        for (file, columns, delimiter, end, line) in [
            ("email,name\na@b.example,A\n", vec!["email", "name"], ',', 11, 2),
            ("\u{feff}email;identification.type\r\n", vec!["email", "identification.type"], ';', 29, 2),
            ("\n\"email\"\tmetadata.plan\n", vec!["email", "metadata.plan"], '\t', 23, 3),
            ("email", vec!["email"], ',', 5, 1),
            ("email,", vec!["email"], ',', 6, 1),
            (" eMail,\r", vec!["email"], ',', 8, 2),
            ("sep=;\r\nEMAIL;Name;;\r\n", vec!["email", "name"], ';', 20, 3),
            (";;\nemail;;metadata.A b\u{a0};;\n", vec!["email", "", "metadata.A b"], ';', 27, 3),
        ] {
            let found = header(Format::Csv, file.as_bytes(), true).unwrap();
            assert_eq!((found.columns, found.notation.delimiter), (names(&columns), delimiter), "{file}");
            assert_eq!((found.end.at, found.end.line), (end, line), "{file}");
        }
        let ndjson = header(Format::Ndjson, "\u{feff}{}".as_bytes(), true).map(|header| header.end.at);
        assert_eq!(ndjson, Ok(3));
    }

    #[test]
    fn header_is_read_in_each_encoding() {
        let text = "sep=;\r\nemail;metadata.año\r\n";
        let utf16 =
            |bytes: fn(u16) -> [u8; 2]| format!("\u{feff}{text}").encode_utf16().flat_map(bytes).collect::<Vec<_>>();
        let windows = b"sep=;\r\nemail;metadata.a\xf1o\r\n".to_vec();
        for (file, encoding, end) in [
            (text.as_bytes().to_vec(), TextEncoding::Utf8, 27),
            (utf16(u16::to_le_bytes), TextEncoding::Utf16Le, 2 + 26 * 2),
            (utf16(u16::to_be_bytes), TextEncoding::Utf16Be, 2 + 26 * 2),
            (windows, TextEncoding::Windows1252, 26),
        ] {
            let found = header(Format::Csv, &file, true).unwrap();
            assert_eq!((found.columns, found.notation.encoding), (names(&["email", "metadata.año"]), encoding));
            assert_eq!((found.end.at, found.end.line), (end, 3), "{encoding:?}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_header_is_told() {
        for (file, told) in [
            ("email,mail\n", "a column \"mail\"; known are: email, username"),
            ("email,password\n", "password"),
            ("email,name, Email\n", "two columns \"email\", columns 1 and 3; remove one of them."),
            ("email,e mail\n", "a column \"e mail\""),
            ("", "must begin with a header"),
            (",,\n;\n", "a column \";\""),
            ("sep=;\n", "must begin with a header"),
        ] {
            let told_instead = header(Format::Csv, file.as_bytes(), true).err().unwrap_or_default();
            assert!(told_instead.contains(told), "{file}: {told_instead}");
        }
        assert!(header(Format::Csv, &[b'a'; 70_000], false).is_err());
    }

    fn divide(file: &[u8]) -> Divider {
        let notation = Notation { format: Format::Csv, delimiter: ',', encoding: TextEncoding::Utf8 };
        let (mut divider, mut cutter) = (Divider::default(), Cutter::new(notation, Position::new(0, 1)));
        cutter.feed(file, |row| divider.see(&row));
        divider
    }

    #[test]
    fn batches_follow_each_other_without_a_gap() {
        let file: String = (0..1234).map(|nth| format!("{nth}@example.com\n")).collect();
        let (batches, rows) = divide(file.as_bytes()).end();
        assert_eq!((rows, batches.iter().map(|batch| batch.row).collect::<Vec<_>>()), (1234, vec![1, 501, 1001]));
        assert_eq!(batches.iter().map(|batch| batch.line).collect::<Vec<_>>(), [1, 501, 1001]);
        assert!(batches.windows(2).all(|two| two[0].to == two[1].from));
        assert_eq!((batches[0].from, batches[2].to), (0, file.len() as u64));
    }

    #[test]
    fn batch_begins_where_its_first_row_does() {
        for end in ["\r\n", "\r", "\n\n"] {
            let file: String = (0..600).map(|nth| format!("{nth}@example.com{end}")).collect();
            let (batches, _) = divide(file.as_bytes()).end();
            let second = usize::try_from(batches[1].from).unwrap();
            let line = if end == "\n\n" { 1001 } else { 501 };
            assert!(file[second..].starts_with("500@") && batches[1].line == line, "{end:?} {batches:?}");
        }
    }

    #[test]
    fn rows_say_whether_a_file_is_windows_1252() {
        for (file, expected) in [
            (b"a\nb\n".as_slice(), false),
            (b"Zo\xeb\nb\n", true),
            ("Zoë\n".as_bytes(), false),
            (b"Zo\xc3\xab\nZo\xeb\n", false),
            (b"Zo\xc3\xab\nZo\xeb\nJos\xe9\n", true),
        ] {
            assert_eq!(divide(file).evidence.is_windows(), expected, "{file:?}");
        }
    }
}
