//! What a file really holds, told by its first bytes.

use domain::Format;
use domain::upload::FileType;
use encoding_rs::{Decoder, UTF_16BE, UTF_16LE};

use crate::der;

/// How many bytes of a file are looked at. A certificate or key is looked at whole, and none has that many.
pub(crate) const BEGINNING: usize = 64 * 1024;

/// Checks whether bytes are text that rows can be read from, as they stream by.
#[derive(Default)]
pub(crate) struct Text {
    /// How many bytes came already, as far as a byte order mark of UTF-16 goes, and these bytes.
    mark: Vec<u8>,
    utf8: Utf8,
    /// The decoder of UTF-16, where the file begins with its byte order mark.
    utf16: Option<Decoder>,
    is_utf16_broken: bool,
    has_binary: bool,
}

/// Checks whether bytes are UTF-8.
#[derive(Debug, Default)]
struct Utf8 {
    /// The beginning of a letter whose end has not come yet.
    left: Vec<u8>,
    broken: bool,
}

/// How many bytes the byte order mark of UTF-16 has.
const MARK: usize = 2;

impl Text {
    pub(crate) fn see(&mut self, bytes: &[u8]) {
        self.utf8.see(bytes);
        self.has_binary |= bytes.iter().any(|byte| is_binary(*byte));
        let (mark, rest) = bytes.split_at(bytes.len().min(MARK - self.mark.len()));
        if !mark.is_empty() {
            self.mark.extend_from_slice(mark);
            self.utf16 = match self.mark.as_slice() {
                [0xff, 0xfe] => Some(UTF_16LE.new_decoder_without_bom_handling()),
                [0xfe, 0xff] => Some(UTF_16BE.new_decoder_without_bom_handling()),
                _ => None,
            };
        }
        self.see_utf16(rest, false);
    }

    fn see_utf16(&mut self, bytes: &[u8], is_last: bool) {
        let Some(decoder) = &mut self.utf16 else { return };
        let mut text = String::with_capacity(decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(bytes.len()));
        let (_, _, has_errors) = decoder.decode_to_string(bytes, &mut text, is_last);
        self.is_utf16_broken |= has_errors;
    }

    /// Whether all of them are text of this format. JSON is UTF-8; spreadsheets also write CSV as UTF-16 with a byte order
    /// mark, and as Windows-1252.
    pub(crate) fn is_whole(mut self, format: Format) -> bool {
        if self.utf8.is_whole() {
            return true;
        }
        self.see_utf16(&[], true);
        match format {
            Format::Ndjson => false,
            Format::Csv if self.utf16.is_some() => !self.is_utf16_broken,
            Format::Csv => !self.has_binary,
        }
    }
}

impl Utf8 {
    fn see(&mut self, bytes: &[u8]) {
        self.left.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.left) {
            Ok(text) => text.len(),
            Err(error) => {
                self.broken |= error.error_len().is_some();
                error.valid_up_to()
            }
        };
        // What no text has is not kept either.
        if self.broken { self.left.clear() } else { drop(self.left.drain(..whole)) }
    }

    /// Whether all bytes were UTF-8, and no letter is cut off.
    fn is_whole(&self) -> bool {
        !self.broken && self.left.is_empty()
    }
}

/// Whether text in Windows-1252 never has this byte: a control character, or one that stands for nothing.
fn is_binary(byte: u8) -> bool {
    let is_control = byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
    is_control || matches!(byte, 0x7f | 0x81 | 0x8d | 0x8f | 0x90 | 0x9d)
}

/// What speaks against a file that begins so, and has `size` bytes, being of the type that was declared.
pub(crate) fn mismatch(declared: FileType, beginning: &[u8], size: u64) -> Option<String> {
    let whole = u64::try_from(beginning.len()) == Ok(size);
    let found = infer::get(beginning).map(|found| found.mime_type());
    let fits = match declared {
        FileType::Png | FileType::Jpeg => found == Some(declared.as_str()),
        // Readers accept a PDF that begins later, behind what a browser may take for a page.
        FileType::Pdf => found == Some(declared.as_str()) && beginning.starts_with(b"%PDF-"),
        FileType::Certificate => whole && der::is_certificate(beginning),
        FileType::Key => whole && der::is_private_key(beginning),
        // All of it is looked at while it is read.
        FileType::Csv | FileType::Ndjson => found.is_none_or(|found| found.starts_with("text/")),
    };
    if fits {
        return None;
    }
    // What `infer` takes for a certificate may be anything in DER or PEM.
    let guessed = [declared.as_str(), FileType::Certificate.as_str()];
    let (declared, found) = (declared.as_str(), found.filter(|found| !guessed.contains(found)));
    Some(match found {
        Some(found) => format!("The file holds {found}, and not {declared} as was declared."),
        None => format!("The file does not hold {declared} as was declared."),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_is_told_by_its_content() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice();
        let jpeg = b"\xff\xd8\xff\xe0\0\x10JFIF\0".as_slice();
        let pdf = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".as_slice();
        let size = |bytes: &[u8]| u64::try_from(bytes.len()).unwrap_or(0);
        for (declared, right) in [(FileType::Png, png), (FileType::Jpeg, jpeg), (FileType::Pdf, pdf)] {
            assert_eq!(mismatch(declared, right, size(right)), None);
            for wrong in [png, jpeg, pdf, b"<!DOCTYPE html><html></html>", b"PK\x03\x04", b"", b"hello", &[0; 200]] {
                assert_eq!(mismatch(declared, wrong, size(wrong)).is_none(), wrong == right, "{declared:?} {wrong:?}");
            }
        }
    }

    #[test]
    fn the_reason_names_what_was_found() {
        let page = mismatch(FileType::Png, b"<!DOCTYPE html><html></html>", 28);
        assert_eq!(page.as_deref(), Some("The file holds text/html, and not image/png as was declared."));
        let nothing = mismatch(FileType::Key, b"hello", 5);
        assert_eq!(nothing.as_deref(), Some("The file does not hold application/pkcs8 as was declared."));
    }

    #[test]
    fn text_is_told_however_it_comes() {
        for (bytes, is_table, is_utf8) in [
            ("año €𝄞".as_bytes(), true, true),
            (b"a\xff", true, false),
            (&"é".as_bytes()[..1], true, false),
            (b"", true, true),
            (b"\xc3(", true, false),
            (b"a\xff\0", false, false),
            (b"a\x81", false, false),
            (b"\xff\xfea\0\n\0", true, false),
            (b"\xfe\xff\0a\xd8\x34\xdd\x1e", true, false),
            (b"\xff\xfea\0\n", false, false),
            (b"\xff\xfe\0\xd8a\0", false, false),
        ] {
            for size in [1, 2, 3, 100] {
                for (format, expected) in [(Format::Csv, is_table), (Format::Ndjson, is_utf8)] {
                    let mut text = Text::default();
                    bytes.chunks(size).for_each(|piece| text.see(piece));
                    assert_eq!(text.is_whole(format), expected, "{bytes:?} {size} {format:?}");
                }
            }
        }
        assert_eq!(mismatch(FileType::Csv, b"email,name\n", 11), None);
        assert!(mismatch(FileType::Csv, b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", 15).is_some());
    }

    #[test]
    fn a_page_that_ends_as_a_pdf_is_none() {
        let both = b"<html><script>x()</script><!-- %PDF-1.7 -->".as_slice();
        assert!(mismatch(FileType::Pdf, both, 43).is_some());
    }
}
