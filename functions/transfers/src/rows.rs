//! Cuts a file into rows while it streams by, and keeps no more of it than one row.

use csv_core::{ReadFieldResult, Reader, ReaderBuilder};
use domain::Format;
use domain::transfer::TextEncoding;

use crate::encoding::{Transcoder, decode_cell, is_blank, length_in_file};

/// How long a row may be. A longer one fails, and is never held as a whole.
pub(crate) const LONGEST: usize = 256 * 1024;

/// How many cells a row may have: as many as a sheet of Excel has columns.
pub(crate) const CELLS: usize = 16 * 1024;

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    /// How many bytes of the file are before it.
    pub(crate) at: u64,
    /// The line that it is on, from 1.
    pub(crate) line: u64,
    /// Whether the byte before it is a carriage return, which ends its line together with a line feed.
    after_return: bool,
}

impl Position {
    /// The place where a row or line begins.
    pub(crate) fn new(at: u64, line: u64) -> Self {
        Self { at, line, after_return: false }
    }

    /// Moves behind `text`, of which the file has `length` bytes. A line ends by a line feed, a carriage return, or both.
    fn pass(&mut self, text: &[u8], length: u64) {
        self.at += length;
        for byte in text {
            let is_return = *byte == b'\r';
            self.line += u64::from(is_return || (*byte == b'\n' && !self.after_return));
            self.after_return = is_return;
        }
    }
}

/// How the rows of a file are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Notation {
    pub(crate) format: Format,
    pub(crate) delimiter: char,
    pub(crate) encoding: TextEncoding,
}

/// A row of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// Where it begins.
    pub(crate) start: Position,
    /// Where the file goes on behind it.
    pub(crate) end: Position,
    pub(crate) content: Content,
}

/// What a row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    Cells(Vec<String>),
    Line(String),
    TooLong,
    NotText,
    /// The file ends within a quote.
    OpenQuote,
}

/// Cuts a file into rows, from a place on where a row begins.
pub(crate) struct Cutter {
    how: How,
    encoding: TextEncoding,
    transcoder: Option<Transcoder>,
    position: Position,
    /// Where the row began that is being read, if one is.
    began: Option<Position>,
    too_long: bool,
}

enum How {
    Csv(Box<Table>),
    Lines { text: Vec<u8> },
}

/// Reads the cells of a table.
struct Table {
    reader: Reader,
    /// The text of the row's cells so far, and its length.
    text: Vec<u8>,
    length: usize,
    /// Where the cells end in it.
    ends: Vec<usize>,
    starts_cell: bool,
    has_begun: bool,
}

/// How far a row is after a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Unfinished,
    TooLong,
    Ended,
}

impl Table {
    fn new(delimiter: char) -> Self {
        let reader = ReaderBuilder::new().delimiter(u8::try_from(delimiter).unwrap_or(b',')).build();
        Self { reader, text: vec![0; LONGEST], length: 0, ends: Vec::new(), starts_cell: true, has_begun: false }
    }

    /// Reads on as far as the end of a cell, or of `text`; with none the file has ended.
    fn read(&mut self, text: &[u8]) -> (usize, Progress) {
        if self.starts_cell {
            // Behind a blank a quote would be a letter of the cell, and not open it.
            let blanks = text.iter().take_while(|byte| **byte == b' ').count();
            if blanks > 0 {
                return (blanks, Progress::Unfinished);
            }
            // The reader passes empty lines, and would take the next line for this row.
            if !self.has_begun && matches!(text.first(), Some(b'\r' | b'\n')) {
                return (0, Progress::Ended);
            }
        }
        let room = self.text.get_mut(self.length..).unwrap_or_default();
        let (result, read, wrote) = self.reader.read_field(text, room);
        (self.length, self.has_begun) = (self.length + wrote, true);
        let progress = match result {
            ReadFieldResult::InputEmpty => {
                self.starts_cell &= read == 0;
                Progress::Unfinished
            }
            ReadFieldResult::OutputFull => {
                self.starts_cell = false;
                Progress::TooLong
            }
            ReadFieldResult::Field { record_end } => {
                self.ends.push(self.length);
                (self.starts_cell, self.has_begun) = (true, !record_end);
                match (record_end, self.ends.len() > CELLS) {
                    (true, _) => Progress::Ended,
                    (false, false) => Progress::Unfinished,
                    (false, true) => Progress::TooLong,
                }
            }
            ReadFieldResult::End => Progress::Ended,
        };
        (read, progress)
    }

    /// Ends the row with the file, and tells whether that is within a quote: there a line end is a letter of the cell.
    fn end(&mut self) -> bool {
        let (result, ..) = self.reader.read_field(b"\n", &mut [0; 4]);
        self.ends.push(self.length);
        result == ReadFieldResult::InputEmpty
    }

    /// Forgets what was read of the row.
    fn clear(&mut self) {
        self.length = 0;
        self.ends.clear();
    }
}

impl Cutter {
    pub(crate) fn new(notation: Notation, position: Position) -> Self {
        let Notation { format, delimiter, encoding } = notation;
        let how = match format {
            Format::Csv => How::Csv(Box::new(Table::new(delimiter))),
            Format::Ndjson => How::Lines { text: Vec::new() },
        };
        Self { how, encoding, transcoder: Transcoder::of(encoding), position, began: None, too_long: false }
    }

    /// Shows `see` each row that ends in `bytes`.
    pub(crate) fn feed(&mut self, bytes: &[u8], see: impl FnMut(Row)) {
        match &mut self.transcoder {
            None => self.feed_text(bytes, see),
            Some(transcoder) => {
                let text = transcoder.decode(bytes, false);
                self.feed_text(text.as_bytes(), see);
            }
        }
    }

    fn feed_text(&mut self, mut text: &[u8], mut see: impl FnMut(Row)) {
        while !text.is_empty() {
            let (read, row) = self.step(text);
            text = text.get(read..).unwrap_or_default();
            row.into_iter().for_each(&mut see);
        }
    }

    /// Shows `see` the row that the file ends with, where no line end follows it.
    pub(crate) fn end(mut self, mut see: impl FnMut(Row)) {
        if let Some(transcoder) = &mut self.transcoder {
            let text = transcoder.decode(&[], true);
            self.feed_text(text.as_bytes(), &mut see);
        }
        if self.began.is_none() {
            return;
        }
        let is_open = if let How::Csv(table) = &mut self.how { table.end() } else { false };
        let row = self.row().map(|row| if is_open { Row { content: Content::OpenQuote, ..row } } else { row });
        row.into_iter().for_each(&mut see);
    }

    /// Reads on as far as the end of a row, or of `text`; with none the file has ended.
    fn step(&mut self, text: &[u8]) -> (usize, Option<Row>) {
        if self.began.is_none() {
            // What is between rows: the rest of a line end, and empty lines.
            let between = text.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            if between > 0 {
                self.pass(text.get(..between).unwrap_or_default());
                return (between, None);
            }
            self.began = Some(self.position);
        }
        let (read, ended) = match &mut self.how {
            How::Csv(table) => {
                let (read, progress) = table.read(text);
                // What does not fit is read on, and thrown away.
                if progress == Progress::TooLong {
                    self.too_long = true;
                    table.clear();
                }
                (read, progress == Progress::Ended)
            }
            How::Lines { text: row } => {
                let end = text.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
                let line = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
                self.too_long |= row.len() + line.len() > LONGEST;
                if !self.too_long {
                    row.extend_from_slice(line);
                }
                (line.len() + usize::from(end.is_some()), end.is_some() || text.is_empty())
            }
        };
        self.pass(text.get(..read).unwrap_or_default());
        (read, if ended { self.row() } else { None })
    }

    fn pass(&mut self, text: &[u8]) {
        self.position.pass(text, length_in_file(self.encoding, text));
    }

    /// The row that has just ended; none where its cells, or its line, have nothing but blanks.
    fn row(&mut self) -> Option<Row> {
        let (start, too_long) = (self.began.take()?, std::mem::take(&mut self.too_long));
        let content = match &mut self.how {
            How::Csv(table) => {
                let text = table.text.get(..table.length).unwrap_or_default();
                let content = (too_long || !is_blank(text)).then(|| content_of_cells(self.encoding, text, &table.ends));
                table.clear();
                content?
            }
            How::Lines { text } => match String::from_utf8(std::mem::take(text)) {
                Ok(text) if !too_long && text.trim().is_empty() => return None,
                Ok(text) => Content::Line(text),
                Err(_) => Content::NotText,
            },
        };
        let content = if too_long { Content::TooLong } else { content };
        Some(Row { start, end: self.position, content })
    }
}

fn content_of_cells(encoding: TextEncoding, text: &[u8], ends: &[usize]) -> Content {
    let mut from = 0;
    let cells = ends.iter().map(|end| {
        let cell = text.get(std::mem::replace(&mut from, *end)..*end).unwrap_or_default();
        decode_cell(encoding, cell)
    });
    cells.collect::<Option<_>>().map_or(Content::NotText, Content::Cells)
}

/// The first line of a table that Excel names the delimiter by: `sep=;`. The delimiter, and the length of the line with its
/// end.
pub(crate) fn delimiter_line(text: &str) -> Option<(char, usize)> {
    let line = text.split(['\r', '\n']).next().unwrap_or_default();
    let (name, delimiter) = line.trim_matches('"').split_at_checked(4)?;
    let mut letters = delimiter.chars();
    let (delimiter, rest) = (letters.next()?, letters.as_str());
    let can_be = delimiter.is_ascii() && !delimiter.is_ascii_alphanumeric() && !matches!(delimiter, '"' | '=');
    // Other programs fill the line up with delimiters, as they do each line.
    if !name.eq_ignore_ascii_case("sep=") || !can_be || rest.chars().any(|letter| letter != delimiter) {
        return None;
    }
    let end = text.get(line.len()..).unwrap_or_default();
    let end = if end.starts_with("\r\n") { 2 } else { end.len().min(1) };
    Some((delimiter, line.len() + end))
}

/// What divides the cells of a header, the first line of `text`: the one of `,`, `;` and tab that it has most of.
pub(crate) fn delimiter(text: &str) -> char {
    let header = text.split(['\r', '\n']).find(|line| !line.is_empty()).unwrap_or_default();
    let mut quoted = false;
    let outside: String = header
        .chars()
        .filter(|letter| {
            quoted ^= *letter == '"';
            !quoted
        })
        .collect();
    let count = |delimiter: &char| outside.matches(*delimiter).count();
    // The last of those that are equal wins.
    ['\t', ';', ','].into_iter().max_by_key(count).unwrap_or(',')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notation(format: Format, encoding: TextEncoding) -> Notation {
        Notation { format, delimiter: ',', encoding }
    }

    /// The rows of a file that is fed in pieces of `size`, from `position` on.
    fn rows_from(notation: Notation, file: &[u8], size: usize, position: Position) -> Vec<Row> {
        let (mut cutter, mut rows) = (Cutter::new(notation, position), Vec::new());
        let rest = &file[usize::try_from(position.at).unwrap()..];
        rest.chunks(size).for_each(|piece| cutter.feed(piece, |row| rows.push(row)));
        cutter.end(|row| rows.push(row));
        rows
    }

    fn rows(format: Format, file: &[u8], size: usize) -> Vec<Row> {
        rows_from(notation(format, TextEncoding::Utf8), file, size, Position::new(0, 1))
    }

    fn cells(of: &[&str]) -> Content {
        Content::Cells(of.iter().map(|cell| (*cell).to_owned()).collect())
    }

    fn encoded(text: &str, encoding: TextEncoding) -> Vec<u8> {
        match encoding {
            TextEncoding::Utf8 => text.as_bytes().to_vec(),
            TextEncoding::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            TextEncoding::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            TextEncoding::Windows1252 => text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect(),
        }
    }

    #[test]
    fn a_table_is_cut_at_the_same_places_however_it_comes() {
        use TextEncoding::{Utf8, Utf16Be, Utf16Le, Windows1252};
        let lines = ["a,b", "", "1,\"x", "y\"", "\"say \"\"hi\"\"\",", ",", " ,\u{a0}", "last,ñ"];
        let cases = ["\r\n", "\n", "\r"]
            .into_iter()
            .flat_map(|end| [Utf8, Utf16Le, Utf16Be, Windows1252].map(|one| (end, one)));
        for (end, encoding) in cases {
            let file = encoded(&lines.join(end), encoding);
            let notation = notation(Format::Csv, encoding);
            for size in [1, 2, 3, 7, 1000] {
                let found = rows_from(notation, &file, size, Position::new(0, 1));
                let quoted = format!("x{end}y");
                let expected =
                    [cells(&["a", "b"]), cells(&["1", &quoted]), cells(&["say \"hi\"", ""]), cells(&["last", "ñ"])];
                assert_eq!(found.iter().map(|row| row.content.clone()).collect::<Vec<_>>(), expected, "{size}");
                let lines: Vec<_> = found.iter().map(|row| row.start.line).collect();
                assert_eq!(lines, [1, 3, 5, 8], "{end:?} {encoding:?} {size}");
                assert_eq!(found.last().map(|row| row.end.at), Some(file.len() as u64));
                // Whoever begins where a row begins or ends reads the same rows, and the same lines.
                for (nth, row) in found.iter().enumerate() {
                    assert_eq!(rows_from(notation, &file, size, row.end), found[nth + 1..]);
                    let start = Position::new(row.start.at, row.start.line);
                    let again = rows_from(notation, &file, size, start);
                    let places = |rows: &[Row]| {
                        rows.iter().map(|row| (row.start.at, row.end.at, row.start.line)).collect::<Vec<_>>()
                    };
                    assert_eq!(places(&again), places(&found[nth..]));
                }
            }
        }
    }

    #[test]
    fn blanks_before_a_quote_do_not_hide_it() {
        let file = b"a, \"b,\n\"\"c\"\"\" , \"\"\n  \n  \"d\",e \n ";
        for size in [1, 2, 3, 1000] {
            let found = rows(Format::Csv, file, size);
            let told: Vec<_> = found.iter().map(|row| (row.start.line, row.content.clone())).collect();
            let expected = [(1, cells(&["a", "b,\n\"c\" ", ""])), (4, cells(&["d", "e "]))];
            assert_eq!(told, expected, "{size}");
        }
    }

    #[test]
    fn lines_are_cut_at_their_ends_and_blank_ones_are_none() {
        let file = b"{\"a\":1}\r\n\n  \n{\"b\":2}\r{\"c\"";
        for size in [1, 3, 1000] {
            let found = rows(Format::Ndjson, file, size);
            let lines: Vec<_> = found.iter().map(|row| (row.start.line, row.content.clone())).collect();
            let line = |text: &str| Content::Line(text.to_owned());
            assert_eq!(lines, [(1, line("{\"a\":1}")), (4, line("{\"b\":2}")), (5, line("{\"c\""))], "{size}");
        }
    }

    #[test]
    fn a_row_too_long_is_passed_by_and_the_next_one_read() {
        let long = "x".repeat(3 * LONGEST);
        for (format, file) in [
            (Format::Csv, format!("a,\"{long}\n\"\nb,c\n")),
            (Format::Ndjson, format!("{long}\n{{}}\n")),
            (Format::Csv, format!("{}\nb,c\n", ",".repeat(3 * CELLS))),
        ] {
            let found = rows(format, file.as_bytes(), 4096);
            assert_eq!((found.len(), &found[0].content), (2, &Content::TooLong));
            assert!(!matches!(found[1].content, Content::TooLong));
            assert_eq!(found[1].end.at, file.len() as u64);
        }
    }

    #[test]
    fn a_quote_that_never_closes_is_one_row() {
        let file = format!("a,b\n1,\"2\n{}", "3,4\n".repeat(LONGEST));
        let found = rows(Format::Csv, file.as_bytes(), 65536);
        assert_eq!((found.len(), &found[1].content), (2, &Content::OpenQuote));
        for size in [1, 3, 999] {
            let found = rows(Format::Csv, b"a,b\n1,\"2\n3,4\n", size);
            assert_eq!((found.len(), &found[1].content), (2, &Content::OpenQuote), "{size}");
            let closed = rows(Format::Csv, b"a,b\n1,\"2\n3\"", size);
            assert_eq!(closed[1].content, cells(&["1", "2\n3"]), "{size}");
        }
    }

    #[test]
    fn what_is_no_text_is_told() {
        assert_eq!(rows(Format::Csv, b"a,\xff\n", 9)[0].content, Content::NotText);
        assert_eq!(rows(Format::Ndjson, b"\xff\n", 9)[0].content, Content::NotText);
        // Half a surrogate pair, and half a unit at the end.
        for file in [b"a\0\x00\xd8b\0".as_slice(), b"a\0b"] {
            let utf16 = notation(Format::Csv, TextEncoding::Utf16Le);
            assert_eq!(rows_from(utf16, file, 9, Position::new(0, 1))[0].content, Content::NotText);
        }
    }

    #[test]
    fn a_header_says_what_stands_between_its_cells() {
        for (header, expected) in [
            ("a,b", ','),
            ("a;b;c", ';'),
            ("a\tb", '\t'),
            ("a", ','),
            ("\"a;b;c\",d", ','),
            ("a;\"b,c,d\"", ';'),
            ("\na;b\r1,2,3", ';'),
        ] {
            assert_eq!(delimiter(header), expected, "{header}");
        }
    }

    #[test]
    fn first_line_may_name_the_delimiter() {
        for (text, expected) in [
            ("sep=;\r\nemail", Some((';', 7))),
            ("SEP=,\nemail", Some((',', 6))),
            ("sep=\t\remail", Some(('\t', 6))),
            ("\"sep=|\"\nemail", Some(('|', 8))),
            ("sep=;;;\nemail", Some((';', 8))),
            ("sep=;", Some((';', 5))),
            ("sep=\nemail", None),
            ("sep=a\nemail", None),
            ("sep=;,\nemail", None),
            ("email;name", None),
        ] {
            assert_eq!(delimiter_line(text), expected, "{text:?}");
        }
    }
}
