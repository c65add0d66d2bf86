//! What a file really holds, told by its first bytes.

use domain::upload::FileType;

use crate::der;

/// How many bytes of a file are looked at. A certificate or key is looked at whole, and none has that many.
pub(crate) const BEGINNING: usize = 64 * 1024;

/// Whether bytes are UTF-8, told as they stream by.
#[derive(Debug, Default)]
pub(crate) struct Text {
    /// The beginning of a letter whose end has not come yet.
    left: Vec<u8>,
    broken: bool,
}

impl Text {
    pub(crate) fn see(&mut self, bytes: &[u8]) {
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

    /// Whether all of them were, and no letter is cut off.
    pub(crate) fn is_whole(&self) -> bool {
        !self.broken && self.left.is_empty()
    }
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
        for (bytes, expected) in [
            ("año €𝄞".as_bytes(), true),
            (b"a\xff", false),
            (&"é".as_bytes()[..1], false),
            (b"", true),
            (b"\xc3(", false),
        ] {
            for size in [1, 2, 3, 100] {
                let mut text = Text::default();
                bytes.chunks(size).for_each(|piece| text.see(piece));
                assert_eq!(text.is_whole(), expected, "{bytes:?} {size}");
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
