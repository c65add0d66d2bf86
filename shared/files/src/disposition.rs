//! The `Content-Disposition` of a download (RFC 6266, RFC 8187).

use std::fmt::Write as _;

/// Longer names are cut: file systems refuse more than 255 bytes, and browsers append `(1)`.
const LONGEST: usize = 150;

/// An attachment that is saved as `name`, whatever characters it has.
pub(crate) fn attachment(name: &str) -> String {
    let name = safe(name);
    let plain: String = name.chars().map(|c| if c.is_ascii() && c != '"' && c != '%' { c } else { '_' }).collect();
    if plain == name {
        return format!("attachment; filename=\"{plain}\"");
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{}", extended(&name))
}

/// The name without what would end the header, leave the folder, or show as another name.
fn safe(name: &str) -> String {
    let mut safe = String::new();
    for c in name.trim().chars().filter(|c| !c.is_control() && !reorders(*c)) {
        let c = if matches!(c, '/' | '\\' | ':' | '*' | '?' | '<' | '>' | '|') { '_' } else { c };
        if safe.len() + c.len_utf8() > LONGEST {
            break;
        }
        safe.push(c);
    }
    // A leading dot hides the file, a trailing one or a space is dropped by Windows.
    let safe = safe.trim_matches(['.', ' ']);
    if safe.is_empty() { "file".to_owned() } else { safe.to_owned() }
}

/// Invisible characters that change the order of others: `gpj.exe` after one shows as `exe.jpg`.
fn reorders(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// RFC 8187's `value-chars`: all but its `attr-char` as percent-encoded UTF-8.
fn extended(name: &str) -> String {
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::attachment;

    #[test]
    fn a_plain_name_stays() {
        assert_eq!(attachment("report 1.pdf"), "attachment; filename=\"report 1.pdf\"");
    }

    #[test]
    fn quotes_and_line_breaks_cannot_leave_the_value() {
        assert_eq!(
            attachment("a\"; filename=\"b.html\r\nSet-Cookie: x"),
            "attachment; filename=\"a_; filename=_b.htmlSet-Cookie_ x\"; \
             filename*=UTF-8''a%22%3B%20filename%3D%22b.htmlSet-Cookie_%20x"
        );
    }

    #[test]
    fn other_scripts_are_kept_in_the_extended_value() {
        assert_eq!(attachment("cédula.pdf"), "attachment; filename=\"c_dula.pdf\"; filename*=UTF-8''c%C3%A9dula.pdf");
    }

    #[test]
    fn a_name_cannot_climb_hide_or_be_reversed() {
        assert_eq!(attachment("../../.bashrc"), "attachment; filename=\"_.._.bashrc\"");
        assert_eq!(attachment("photo\u{202E}gpj.exe"), "attachment; filename=\"photogpj.exe\"");
        assert_eq!(attachment(" \u{0}.. "), "attachment; filename=\"file\"");
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        let long = attachment(&"é".repeat(500));
        assert!(long.ends_with(&"%C3%A9".repeat(75)), "{long}");
        assert_eq!(long.matches("%C3%A9").count(), 75);
    }
}
