//! What is asked for, and what comes of it.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::{Item, string};
use crate::keys::Key;

/// What a query asks for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query {
    pub(crate) index: Option<&'static str>,
    pub(crate) condition: &'static str,
    pub(crate) filter: Option<String>,
    pub(crate) values: Item,
    pub(crate) names: HashMap<String, String>,
    pub(crate) descending: bool,
    pub(crate) keys_only: bool,
}

impl Query {
    /// The items of a partition whose sort key begins with `prefix`.
    pub(crate) fn under(pk: String, prefix: &str) -> Self {
        Self {
            condition: "PK = :pk AND begins_with(SK, :prefix)",
            values: HashMap::from([
                (":pk".to_owned(), AttributeValue::S(pk)),
                (":prefix".to_owned(), AttributeValue::S(prefix.to_owned())),
            ]),
            ..Self::default()
        }
    }

    /// The items of a partition between two sort keys, both included.
    pub(crate) fn between(pk: &str, low: &str, high: &str) -> Self {
        let values = [(":pk", pk), (":low", low), (":high", high)];
        Self {
            condition: "PK = :pk AND SK BETWEEN :low AND :high",
            values: values.map(|(name, value)| (name.to_owned(), string(value))).into(),
            ..Self::default()
        }
    }

    /// The items of a whole partition.
    pub(crate) fn all(pk: String) -> Self {
        Self { condition: "PK = :pk", values: Item::from([(":pk".to_owned(), string(pk))]), ..Self::default() }
    }

    /// The items of a key's partition that stand before it.
    pub(crate) fn before(key: &Key) -> Self {
        Self {
            condition: "PK = :pk AND SK < :sk",
            values: HashMap::from([(":pk".to_owned(), string(&key.pk)), (":sk".to_owned(), string(&key.sk))]),
            ..Self::default()
        }
    }
}

/// One answer to a query.
pub(crate) struct Read {
    pub(crate) items: Vec<Item>,
    /// Where to go on; absent at the end.
    pub(crate) next: Option<Item>,
}
