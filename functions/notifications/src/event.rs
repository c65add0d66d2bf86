//! What calls the function.

use domain::{NotificationId, SegmentId};
use serde::Deserialize;

/// Why the function is called.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Event {
    /// Notifications have been written, or cancelled: records of the table's stream.
    Written {
        /// The records.
        #[serde(rename = "Records")]
        records: Vec<Record>,
    },
    /// The time of one has come.
    Due {
        /// Its segment.
        segment_id: SegmentId,
        /// Its id.
        id: NotificationId,
    },
    /// Some may have been cut off.
    Look {
        /// Always `look`.
        step: Look,
    },
}

/// The word of a schedule.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Look {
    /// The only one.
    Look,
}

/// A record of the table's stream, of which only the key is read: the table says what is to be done.
#[derive(Debug, Clone, Deserialize)]
pub struct Record {
    dynamodb: Image,
}

#[derive(Debug, Clone, Deserialize)]
struct Image {
    #[serde(rename = "Keys")]
    keys: Keys,
}

#[derive(Debug, Clone, Deserialize)]
struct Keys {
    #[serde(rename = "PK")]
    pk: Text,
    #[serde(rename = "SK")]
    sk: Text,
}

#[derive(Debug, Clone, Deserialize)]
struct Text {
    #[serde(rename = "S")]
    text: String,
}

impl Event {
    /// The notifications that it names.
    #[must_use]
    pub fn named(&self) -> Vec<(SegmentId, NotificationId)> {
        match self {
            Self::Written { records } => records.iter().filter_map(Record::notification).collect(),
            Self::Due { segment_id, id } => vec![(*segment_id, *id)],
            Self::Look { .. } => Vec::new(),
        }
    }
}

impl Record {
    fn notification(&self) -> Option<(SegmentId, NotificationId)> {
        store::notification_of(&self.dynamodb.keys.pk.text, &self.dynamodb.keys.sk.text)
    }
}
