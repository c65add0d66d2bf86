//! Many new rows at once, as the items that their transactions would leave behind: to fill a table for a bench.

mod members;
mod users;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::{AttributeValue, Put, Update};
use domain::Error;

use crate::keys::{Key, PK, SK};
use crate::table::{Item, Write, keyed, number};

pub use members::NewMembers;
pub use users::NewUsers;

/// What the transactions of new rows leave behind together.
#[derive(Debug, Default)]
struct Gathered {
    /// What may be there once only: rows and claims.
    created: BTreeSet<Key>,
    counters: BTreeMap<Key, BTreeMap<String, i64>>,
}

impl Gathered {
    /// The items that a transaction puts; what it adds to is kept for [`Gathered::counters`].
    fn add(&mut self, writes: Vec<Write>) -> Result<Vec<Item>, Error> {
        let (mut items, mut created, mut added) = (Vec::new(), Vec::new(), Vec::new());
        for write in writes {
            if let Some(Put { item, condition_expression, .. }) = write.item.put {
                if condition_expression.is_some() {
                    let key = key(&item)?;
                    if self.created.contains(&key) {
                        return Err(write.meaning.unwrap_or_else(|| Error::internal("an item is there already")));
                    }
                    created.push(key);
                }
                items.push(item);
            } else if let Some(update) = write.item.update {
                if update.condition_expression.is_some() {
                    return Err(Error::internal("a new row changes nothing but counters"));
                }
                added.push((key(&update.key)?, additions(update)));
            } else if write.item.condition_check.is_none() {
                return Err(Error::internal("a new row deletes nothing"));
            }
        }
        self.created.extend(created);
        for (key, numbers) in added {
            let sums = self.counters.entry(key).or_default();
            numbers.into_iter().for_each(|(name, more)| *sums.entry(name).or_default() += more);
        }
        Ok(items)
    }

    /// The items that all of them change together.
    fn counters(self) -> impl Iterator<Item = Item> {
        self.counters.into_iter().map(|(key, sums)| {
            let sums = sums.into_iter().map(|(name, sum)| (name, number(sum)));
            keyed(&key, sums.collect())
        })
    }
}

fn key(item: &Item) -> Result<Key, Error> {
    let part = |name: &str| item.get(name).and_then(|part| part.as_s().ok()).cloned();
    let (pk, sk) = part(PK).zip(part(SK)).ok_or_else(|| Error::internal("an item has no key"))?;
    Ok(Key { pk, sk })
}

/// What an update adds to which attribute: values have the aliases of their names.
fn additions(update: Update) -> Vec<(String, i64)> {
    let names = update.expression_attribute_names.unwrap_or_default();
    let values = update.expression_attribute_values.unwrap_or_default();
    let more = |alias: &str| values.get(&alias.replacen('#', ":", 1)).and_then(added);
    names.into_iter().filter_map(|(alias, name)| Some((name, more(&alias)?))).collect()
}

fn added(value: &AttributeValue) -> Option<i64> {
    value.as_n().ok()?.parse().ok()
}

/// Everything that an emulator's table holds.
#[cfg(test)]
async fn everything(emulator: &crate::emulator::Emulator) -> BTreeMap<Key, Item> {
    let scanned = emulator.table.client.scan().table_name(&*emulator.table.name).send().await.unwrap();
    scanned.items().iter().map(|item| (key(item).unwrap(), item.clone())).collect()
}
