//! Cuts a file into rows while it streams by, and keeps no more of it than one row.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use domain::Format;

/// How long a row may be. A longer one fails, and is never held as a whole.
pub(crate) const LONGEST: usize = 256 * 1024;

/// How many cells a row may have.
pub(crate) const CELLS: usize = 1024;

/// A row as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// The line on which it begins, from 1.
    pub(crate) line: u64,
    /// Where the file goes on behind it.
    pub(crate) end: u64,
    /// On which line.
    pub(crate) end_line: u64,
    pub(crate) content: Content,
}

/// What a row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    Cells(Vec<String>),
    Line(String),
    TooLong,
    NotText,
}

/// Cuts what it is fed, from a place in the file on where a row begins.
pub(crate) struct Cutter {
    how: How,
    /// Where it is.
    at: u64,
    /// The line on which it is.
    line: u64,
    /// The line on which the row began that is being read, if one is.
    began: Option<u64>,
    too_long: bool,
}

enum How {
    Csv { reader: Box<Reader>, text: Vec<u8>, length: usize, ends: Vec<usize>, cells: usize },
    Lines { text: Vec<u8> },
}

impl Cutter {
    pub(crate) fn new(format: Format, delimiter: char, (at, line): (u64, u64)) -> Self {
        let how = match format {
            Format::Csv => {
                let delimiter = u8::try_from(delimiter).unwrap_or(b',');
                let reader = Box::new(ReaderBuilder::new().delimiter(delimiter).build());
                How::Csv { reader, text: vec![0; LONGEST], length: 0, ends: vec![0; CELLS], cells: 0 }
            }
            Format::Ndjson => How::Lines { text: Vec::new() },
        };
        Self { how, at, line, began: None, too_long: false }
    }

    /// Shows `see` each row that ends in `bytes`.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], mut see: impl FnMut(Row)) {
        while !bytes.is_empty() {
            let (read, row) = self.step(bytes);
            bytes = bytes.get(read..).unwrap_or_default();
            row.into_iter().for_each(&mut see);
        }
    }

    /// Shows `see` the row that the file ends with, where no line end follows it.
    pub(crate) fn end(mut self, mut see: impl FnMut(Row)) {
        if self.began.is_some() {
            self.step(&[]).1.into_iter().for_each(&mut see);
        }
    }

    /// Reads on as far as the end of a row, or of `bytes`; with none the file has ended.
    fn step(&mut self, bytes: &[u8]) -> (usize, Option<Row>) {
        if self.began.is_none() {
            // What stands between rows: the rest of a line end, and empty lines.
            let between = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            if between > 0 {
                self.passed(bytes.get(..between).unwrap_or_default());
                return (between, None);
            }
            self.began = Some(self.line);
        }
        let (read, ended) = match &mut self.how {
            How::Csv { reader, text, length, ends, cells } => {
                let room = (text.get_mut(*length..).unwrap_or_default(), ends.get_mut(*cells..).unwrap_or_default());
                let (result, read, wrote, ended) = reader.read_record(bytes, room.0, room.1);
                (*length, *cells) = (*length + wrote, *cells + ended);
                // What does not fit is read on, and thrown away.
                if matches!(result, ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull) {
                    (self.too_long, *length, *cells) = (true, 0, 0);
                }
                (read, matches!(result, ReadRecordResult::Record | ReadRecordResult::End))
            }
            How::Lines { text } => {
                let end = bytes.iter().position(|byte| *byte == b'\n');
                let line = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
                self.too_long |= text.len() + line.len() > LONGEST;
                if !self.too_long {
                    text.extend_from_slice(line);
                }
                (line.len() + usize::from(end.is_some()), end.is_some() || bytes.is_empty())
            }
        };
        self.passed(bytes.get(..read).unwrap_or_default());
        (read, if ended { self.row() } else { None })
    }

    fn passed(&mut self, bytes: &[u8]) {
        self.at += bytes.len() as u64;
        self.line += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
    }

    /// The row that has just ended; none where there was nothing but blanks on its line.
    fn row(&mut self) -> Option<Row> {
        let (line, too_long) = (self.began.take()?, std::mem::take(&mut self.too_long));
        let content = match &mut self.how {
            How::Csv { text, length, ends, cells, .. } => {
                let (length, cells) = (std::mem::take(length), std::mem::take(cells));
                content_of_cells(text.get(..length).unwrap_or_default(), ends.get(..cells).unwrap_or_default())
            }
            How::Lines { text } => match String::from_utf8(std::mem::take(text)) {
                Ok(text) if !too_long && text.trim().is_empty() => return None,
                Ok(text) => Content::Line(text),
                Err(_) => Content::NotText,
            },
        };
        let content = if too_long { Content::TooLong } else { content };
        Some(Row { line, end: self.at, end_line: self.line, content })
    }
}

fn content_of_cells(text: &[u8], ends: &[usize]) -> Content {
    let mut from = 0;
    let cells = ends.iter().map(|end| {
        let cell = text.get(std::mem::replace(&mut from, *end)..*end).unwrap_or_default();
        std::str::from_utf8(cell).map(str::to_owned)
    });
    cells.collect::<Result<_, _>>().map_or(Content::NotText, Content::Cells)
}

/// What stands between the cells of a header: the one of `,`, `;` and tab that it has most of.
pub(crate) fn delimiter(header: &str) -> char {
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

    /// The rows of a file that is fed in pieces of `size`: line, end, content.
    fn rows(format: Format, file: &[u8], size: usize) -> Vec<Row> {
        let (mut cutter, mut rows) = (Cutter::new(format, ',', (0, 1)), Vec::new());
        file.chunks(size).for_each(|piece| cutter.feed(piece, |row| rows.push(row)));
        cutter.end(|row| rows.push(row));
        rows
    }

    fn cells(of: &[&str]) -> Content {
        Content::Cells(of.iter().map(|cell| (*cell).to_owned()).collect())
    }

    #[test]
    fn a_table_is_cut_at_the_same_places_however_it_comes() {
        let file = "a,b\r\n\r\n1,\"x\ny\"\n\"say \"\"hi\"\"\",\n,\nlast,ñ".as_bytes();
        for size in [1, 2, 3, 7, 1000] {
            let found = rows(Format::Csv, file, size);
            let expected = [
                cells(&["a", "b"]),
                cells(&["1", "x\ny"]),
                cells(&["say \"hi\"", ""]),
                cells(&["", ""]),
                cells(&["last", "ñ"]),
            ];
            assert_eq!(found.iter().map(|row| row.content.clone()).collect::<Vec<_>>(), expected, "{size}");
            assert_eq!(found.iter().map(|row| row.line).collect::<Vec<_>>(), [1, 3, 5, 6, 7], "{size}");
            assert_eq!(found.last().map(|row| row.end), Some(file.len() as u64));
            // Whoever begins where a row ends reads the same rows.
            for (nth, row) in found.iter().enumerate() {
                let end = usize::try_from(row.end).unwrap();
                let rest = rows(Format::Csv, &file[end..], size);
                assert_eq!(rest.len(), found.len() - nth - 1);
                assert!(rest.iter().zip(&found[nth + 1..]).all(|(one, other)| one.content == other.content));
            }
        }
    }

    #[test]
    fn lines_are_cut_at_their_ends_and_blank_ones_are_none() {
        let file = b"{\"a\":1}\r\n\n  \n{\"b\":2}\n{\"c\"";
        for size in [1, 3, 1000] {
            let found = rows(Format::Ndjson, file, size);
            let lines: Vec<_> = found.iter().map(|row| (row.line, row.content.clone())).collect();
            let line = |text: &str| Content::Line(text.to_owned());
            assert_eq!(lines, [(1, line("{\"a\":1}\r")), (4, line("{\"b\":2}")), (5, line("{\"c\""))], "{size}");
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
            assert_eq!(found[1].end, file.len() as u64);
        }
    }

    #[test]
    fn a_quote_that_never_closes_is_one_row() {
        let file = format!("a,b\n1,\"2\n{}", "3,4\n".repeat(LONGEST));
        let found = rows(Format::Csv, file.as_bytes(), 65536);
        assert_eq!((found.len(), &found[1].content), (2, &Content::TooLong));
    }

    #[test]
    fn what_is_no_text_is_told() {
        assert_eq!(rows(Format::Csv, b"a,\xff\n", 9)[0].content, Content::NotText);
        assert_eq!(rows(Format::Ndjson, b"\xff\n", 9)[0].content, Content::NotText);
    }

    #[test]
    fn a_header_says_what_stands_between_its_cells() {
        for (header, expected) in
            [("a,b", ','), ("a;b;c", ';'), ("a\tb", '\t'), ("a", ','), ("\"a;b;c\",d", ','), ("a;\"b,c,d\"", ';')]
        {
            assert_eq!(delimiter(header), expected, "{header}");
        }
    }
}
