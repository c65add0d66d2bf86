//! Formula injection: cells of a CSV file that a spreadsheet would evaluate, by OWASP's list of first characters.

use std::borrow::Cow;

/// Marks a cell as text; a spreadsheet does not display it.
const MARK: char = '\'';

/// Returns the cell with a leading `'` where a spreadsheet would evaluate it.
///
/// A value that itself begins with `'` and such a character gets one too, so that [`unescape_formula`] restores it.
#[must_use]
pub fn escape_formula(cell: &str) -> Cow<'_, str> {
    if is_formula(cell.trim_start_matches(MARK)) { Cow::Owned(format!("{MARK}{cell}")) } else { Cow::Borrowed(cell) }
}

/// Returns the value of a cell that [`escape_formula`] may have changed.
#[must_use]
pub fn unescape_formula(cell: &str) -> &str {
    match cell.strip_prefix(MARK) {
        Some(value) if is_formula(value.trim_start_matches(MARK)) => value,
        Some(_) | None => cell,
    }
}

fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_survives_and_no_cell_is_a_formula() {
        let starts = ["", "'", "''", "=", "+", "-", "@", "\t", "\r", "a", " ", "\"", "\n"];
        for one in starts {
            for other in starts {
                for end in ["", "x", "=1+1", "'"] {
                    let value = format!("{one}{other}{end}");
                    let cell = escape_formula(&value);
                    assert_eq!(unescape_formula(&cell), value, "{cell:?}");
                    assert!(!is_formula(&cell), "{cell:?}");
                }
            }
        }
    }

    #[test]
    fn only_formulas_are_marked() {
        for plain in ["", "'", "'a", "O'Neill", "a=b", "1-2", " =1"] {
            assert_eq!((&*escape_formula(plain), unescape_formula(plain)), (plain, plain));
        }
        assert_eq!((&*escape_formula("=1+1"), &*escape_formula("'=1")), ("'=1+1", "''=1"));
    }
}
