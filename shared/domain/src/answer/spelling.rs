//! Answers in the spelling that was sent, for clients that read back what they wrote.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Answers, Given};
use crate::json::read_json;

/// Answers of a request, and how the client spelled them.
#[derive(Debug, Clone, Default)]
pub struct SentAnswers {
    /// The values, by the keys of their fields.
    pub values: Given,
    /// The same values as the client wrote them.
    pub spellings: Map<String, Value>,
}

impl From<Given> for SentAnswers {
    fn from(values: Given) -> Self {
        Self { spellings: values.0.clone(), values }
    }
}

/// The answers of a member that were spelled otherwise than they are kept, by the keys of their fields.
///
/// Such as `"150000"` of a number and `"a,b"` of several choices. The table keeps JSON text, which keeps every digit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AnswerSpellings(BTreeMap<String, String>);

impl AnswerSpellings {
    /// Returns whether every answer is spelled as it is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the spellings after a change to `answers` that sent these.
    #[must_use]
    pub fn after(&self, sent: &Map<String, Value>, answers: &Answers) -> Self {
        let mut spellings = self.0.clone();
        for (key, value) in sent {
            let is_other = answers.get(key).is_some_and(|answer| answer.show() != *value);
            match is_other {
                true => drop(spellings.insert(key.clone(), value.to_string())),
                false => drop(spellings.remove(key)),
            }
        }
        Self(spellings).of(answers)
    }

    /// Returns the spellings of these answers.
    #[must_use]
    pub fn of(&self, answers: &Answers) -> Self {
        let kept = self.0.iter().filter(|(key, _)| answers.get(key).is_some());
        Self(kept.map(|(key, spelling)| (key.clone(), spelling.clone())).collect())
    }

    /// Returns an answer as it was sent, if that is another spelling.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Value> {
        self.0.get(key).and_then(|spelling| read_json(spelling.as_bytes()).ok())
    }

    /// Returns the spellings as clients see them.
    #[must_use]
    pub fn show(&self) -> Value {
        Value::Object(self.0.keys().filter_map(|key| Some((key.clone(), self.get(key)?))).collect())
    }
}
