//! A small file of each type. Certificate and key are of the kind that Mexico's tax authority hands out: DER, the key
//! encrypted (with `12345678a`); they were made for these tests and open nothing.

pub(crate) const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\xa9\x86\x1d\x9d\0\0\0\0IEND\xaeB`\x82";
pub(crate) const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xd9";
pub(crate) const PDF: &[u8] = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";
pub(crate) const CERTIFICATE: &[u8] = include_bytes!("samples/certificate.cer");
pub(crate) const KEY: &[u8] = include_bytes!("samples/private.key");
pub(crate) const PAGE: &[u8] = b"<!DOCTYPE html><html><script>alert(1)</script></html>";

pub(crate) const ALL: [(&str, &[u8]); 5] = [
    ("image/png", PNG),
    ("image/jpeg", JPEG),
    ("application/pdf", PDF),
    ("application/x-x509-ca-cert", CERTIFICATE),
    ("application/pkcs8", KEY),
];

/// The SHA-256 in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
