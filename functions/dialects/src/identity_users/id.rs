//! Ids: ours, behind a mark that says what they are of.

use domain::{SegmentId, UserId};
use serde::Deserialize;

/// What the ids of users begin with.
const USER: &str = "usr-";
/// What the ids of clients begin with; a client is a segment.
pub(super) const CLIENT: &str = "cli-";

/// The id of a user, as these clients write it. What is none names nobody.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Usr(pub(super) UserId);

impl TryFrom<String> for Usr {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let id = text.strip_prefix(USER).and_then(|id| id.parse().ok());
        id.map(Self).ok_or("no id of a user")
    }
}

pub(super) fn usr(id: UserId) -> String {
    format!("{USER}{id}")
}

pub(super) fn cli(id: SegmentId) -> String {
    format!("{CLIENT}{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_was_written_and_not_otherwise() {
        let id = UserId::fresh();
        assert_eq!(Usr::try_from(usr(id)).map(|usr| usr.0), Ok(id));
        for wrong in [id.to_string(), format!("cli-{id}"), "usr-".to_owned(), "usr-1".to_owned()] {
            assert!(Usr::try_from(wrong).is_err());
        }
    }
}
