//! Many new members at once, as the items that their transactions would leave behind: to fill a table for a bench.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::{AttributeValue, Put, Update};
use domain::member::MemberNumber;
use domain::{Error, Member};

use crate::Store;
use crate::keys::{Key, PK, SK};
use crate::member::{AlsoOfMember, MemberRecord, NUMBER, NUMBER_TRIES};
use crate::membership::Configuration;
use crate::table::{Item, keyed, number};

/// Gathers new members of a membership that has none yet.
#[derive(Debug)]
pub struct NewMembers<'a> {
    store: &'a Store,
    configuration: &'a Configuration,
    /// What may be there once only: rows and claims.
    created: BTreeSet<Key>,
    counters: BTreeMap<Key, BTreeMap<String, i64>>,
}

impl Store {
    /// No members yet, of this membership.
    #[must_use]
    pub fn new_members<'a>(&'a self, configuration: &'a Configuration) -> NewMembers<'a> {
        NewMembers { store: self, configuration, created: BTreeSet::new(), counters: BTreeMap::new() }
    }
}

impl NewMembers<'_> {
    /// Adds a member, with the writes of [`Store::create_member`]: its row, claims and entries. Nothing is written.
    ///
    /// # Errors
    /// [`Error::Conflict`] where another one has its id or a value that is unique.
    pub fn add(&mut self, new: &Member) -> Result<Vec<Item>, Error> {
        let mut attempt = 0;
        loop {
            let number = MemberNumber::of(new.id, attempt);
            match self.try_add(Member { number, ..new.clone() }) {
                Err(Error::Conflict(taken))
                    if attempt < NUMBER_TRIES && taken.iter().all(|one| one.pointer == NUMBER) =>
                {
                    attempt += 1;
                }
                added => return added,
            }
        }
    }

    /// The items that all of them change together: counters and ranking.
    pub fn counters(self) -> impl Iterator<Item = Item> {
        self.counters.into_iter().map(|(key, sums)| {
            let sums = sums.into_iter().map(|(name, sum)| (name, number(sum)));
            keyed(&key, sums.collect())
        })
    }

    fn try_add(&mut self, member: Member) -> Result<Vec<Item>, Error> {
        let record = MemberRecord::under(member, 0, self.configuration);
        let writes = self.store.member_writes(None, Some(&record), AlsoOfMember::default())?;
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
                added.push((key(&update.key)?, additions(update)));
            } else {
                return Err(Error::internal("a new member deletes and checks nothing"));
            }
        }
        self.created.extend(created);
        for (key, numbers) in added {
            let sums = self.counters.entry(key).or_default();
            numbers.into_iter().for_each(|(name, more)| *sums.entry(name).or_default() += more);
        }
        Ok(items)
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
