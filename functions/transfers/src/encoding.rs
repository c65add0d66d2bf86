//! Encodings of the text of tables. Places in a file are counted in its own bytes, whatever these are decoded to.

use domain::transfer::TextEncoding;
use encoding_rs::{Decoder, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// What stands for a character that could not be decoded.
const BROKEN: char = '\u{fffd}';

/// Reads the byte order mark that a file begins with: the encoding that it names, and its length.
pub(crate) fn byte_order_mark(beginning: &[u8]) -> Option<(TextEncoding, usize)> {
    match beginning {
        [0xef, 0xbb, 0xbf, ..] => Some((TextEncoding::Utf8, 3)),
        [0xff, 0xfe, ..] => Some((TextEncoding::Utf16Le, 2)),
        [0xfe, 0xff, ..] => Some((TextEncoding::Utf16Be, 2)),
        _ => None,
    }
}

/// Decodes UTF-16 to UTF-8, piece by piece. The delimiters, quotes and line ends of the other encodings are bytes of
/// ASCII, so that their rows are cut before they are decoded.
pub(crate) struct Transcoder(Decoder);

impl Transcoder {
    /// Makes the decoder of an encoding that needs one.
    pub(crate) fn of(encoding: TextEncoding) -> Option<Self> {
        match encoding {
            TextEncoding::Utf8 | TextEncoding::Windows1252 => None,
            TextEncoding::Utf16Le => Some(Self(UTF_16LE.new_decoder_without_bom_handling())),
            TextEncoding::Utf16Be => Some(Self(UTF_16BE.new_decoder_without_bom_handling())),
        }
    }

    /// Decodes the next piece of a file; `is_last` says that nothing follows it.
    pub(crate) fn decode(&mut self, piece: &[u8], is_last: bool) -> String {
        // Room for the longest text that the decoder can make of a piece, so that it never stops early.
        let mut text = String::with_capacity(self.0.max_utf8_buffer_length(piece.len()).unwrap_or(piece.len()));
        let _ = self.0.decode_to_string(piece, &mut text, is_last);
        text
    }
}

/// Decodes the beginning of a file as far as its first line can be read.
pub(crate) fn decode_beginning(encoding: TextEncoding, beginning: &[u8]) -> String {
    match Transcoder::of(encoding) {
        Some(mut transcoder) => transcoder.decode(beginning, false),
        None => String::from_utf8_lossy(beginning).into_owned(),
    }
}

/// Counts the bytes that a file has of a text that was decoded by a [`Transcoder`].
pub(crate) fn length_in_file(encoding: TextEncoding, text: &[u8]) -> u64 {
    match encoding {
        TextEncoding::Utf8 | TextEncoding::Windows1252 => text.len() as u64,
        TextEncoding::Utf16Le | TextEncoding::Utf16Be => text.iter().map(|byte| length_in_utf16(*byte)).sum(),
    }
}

/// The bytes in UTF-16 of the character that this byte of UTF-8 begins; none where it begins none.
fn length_in_utf16(byte: u8) -> u64 {
    match byte {
        0x80..=0xbf => 0,
        0x00..=0x7f | 0xc0..=0xef => 2,
        0xf0..=0xff => 4,
    }
}

/// Decodes a cell; `None` where it is no text of the encoding.
pub(crate) fn decode_cell(encoding: TextEncoding, cell: &[u8]) -> Option<String> {
    match encoding {
        TextEncoding::Utf8 => std::str::from_utf8(cell).ok().map(str::to_owned),
        TextEncoding::Windows1252 => {
            WINDOWS_1252.decode_without_bom_handling_and_without_replacement(cell).map(std::borrow::Cow::into_owned)
        }
        TextEncoding::Utf16Le | TextEncoding::Utf16Be => {
            std::str::from_utf8(cell).ok().filter(|text| !text.contains(BROKEN)).map(str::to_owned)
        }
    }
}

/// Whether the cells of a row hold nothing but blanks, in whichever encoding: rows are counted before it is known.
pub(crate) fn is_blank(mut cells: &[u8]) -> bool {
    loop {
        cells = match cells {
            [] => return true,
            // A non-breaking space in UTF-8.
            [0xc2, 0xa0, rest @ ..] => rest,
            // Spaces of other widths, U+2000 to U+200A, and that of ideographs.
            [0xe2, 0x80, 0x80..=0x8a, rest @ ..] | [0xe3, 0x80, 0x80, rest @ ..] => rest,
            // One in Windows-1252.
            [b' ' | b'\t' | b'\r' | b'\n' | 0xa0, rest @ ..] => rest,
            [_, ..] => return false,
        };
    }
}

/// What the rows of a file without a byte order mark say of its encoding.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Evidence {
    /// How many rows are UTF-8 and more than ASCII.
    pub(crate) utf8: u64,
    /// How many rows are not UTF-8.
    pub(crate) other: u64,
}

impl Evidence {
    /// Whether the file is Windows-1252. One broken row makes no file of UTF-8 one of Windows-1252: text of the latter is
    /// hardly ever valid UTF-8.
    pub(crate) fn is_windows(self) -> bool {
        self.other > self.utf8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_in_file_is_the_length_before_decoding() {
        for text in ["", "email;ñ", "€ 𝄞 a", "日本"] {
            let units: Vec<_> = text.encode_utf16().collect();
            let bytes: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
            for size in [1, 2, 3, 100] {
                let mut transcoder = Transcoder::of(TextEncoding::Utf16Be).unwrap();
                let decoded: String = bytes.chunks(size).map(|piece| transcoder.decode(piece, false)).collect();
                assert_eq!(decoded, text, "{size}");
                assert_eq!(length_in_file(TextEncoding::Utf16Be, decoded.as_bytes()), bytes.len() as u64);
            }
        }
        assert_eq!(length_in_file(TextEncoding::Windows1252, b"\xf1\xf3"), 2);
    }

    #[test]
    fn cells_are_decoded_or_refused() {
        assert_eq!(decode_cell(TextEncoding::Windows1252, b"Zo\xeb \x80").as_deref(), Some("Zoë €"));
        assert_eq!(decode_cell(TextEncoding::Utf8, b"Zo\xeb"), None);
        assert_eq!(decode_cell(TextEncoding::Utf16Le, "a\u{fffd}".as_bytes()), None);
    }

    #[test]
    fn blanks_are_blank_in_each_encoding() {
        assert!([" \t\r\n\u{a0}\u{2003}\u{3000}".as_bytes(), b"\xa0 ", b""].into_iter().all(is_blank));
        assert!(!is_blank("\u{a0}x".as_bytes()) && !is_blank(b"\xc2"));
    }
}
