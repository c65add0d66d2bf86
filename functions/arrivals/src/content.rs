//! What a file really holds, told by its first bytes.

use domain::custom_field::ContentType;

use crate::der;

/// How many bytes of a file are looked at. A certificate or key is looked at whole, and none has that many.
pub(crate) const BEGINNING: usize = 64 * 1024;

/// What speaks against a file that begins so, and has `size` bytes, being of the type that was declared.
pub(crate) fn mismatch(declared: ContentType, beginning: &[u8], size: u64) -> Option<String> {
    let whole = u64::try_from(beginning.len()) == Ok(size);
    let found = infer::get(beginning).map(|found| found.mime_type());
    let fits = match declared {
        ContentType::Png | ContentType::Jpeg => found == Some(declared.as_str()),
        // Readers accept a PDF that begins later, behind what a browser may take for a page.
        ContentType::Pdf => found == Some(declared.as_str()) && beginning.starts_with(b"%PDF-"),
        ContentType::Certificate => whole && der::is_certificate(beginning),
        ContentType::Key => whole && der::is_private_key(beginning),
    };
    if fits {
        return None;
    }
    // What `infer` takes for a certificate may be anything in DER or PEM.
    let guessed = [declared.as_str(), ContentType::Certificate.as_str()];
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
        for (declared, right) in [(ContentType::Png, png), (ContentType::Jpeg, jpeg), (ContentType::Pdf, pdf)] {
            assert_eq!(mismatch(declared, right, size(right)), None);
            for wrong in [png, jpeg, pdf, b"<!DOCTYPE html><html></html>", b"PK\x03\x04", b"", b"hello", &[0; 200]] {
                assert_eq!(mismatch(declared, wrong, size(wrong)).is_none(), wrong == right, "{declared:?} {wrong:?}");
            }
        }
    }

    #[test]
    fn the_reason_names_what_was_found() {
        let page = mismatch(ContentType::Png, b"<!DOCTYPE html><html></html>", 28);
        assert_eq!(page.as_deref(), Some("The file holds text/html, and not image/png as was declared."));
        let nothing = mismatch(ContentType::Key, b"hello", 5);
        assert_eq!(nothing.as_deref(), Some("The file does not hold application/pkcs8 as was declared."));
    }

    #[test]
    fn a_page_that_ends_as_a_pdf_is_none() {
        let both = b"<html><script>x()</script><!-- %PDF-1.7 -->".as_slice();
        assert!(mismatch(ContentType::Pdf, both, 43).is_some());
    }
}
