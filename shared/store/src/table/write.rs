//! The writes of transactions, and the changes of items.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem, Update};
use domain::Error;

use super::{Item, Table, keyed, number};
use crate::keys::Key;

/// One write of a transaction, and what it means if its condition fails.
#[derive(Debug)]
pub(crate) struct Write {
    pub(crate) item: TransactWriteItem,
    pub(crate) meaning: Option<Error>,
}

impl Write {
    /// Puts an item where there is none.
    pub(crate) fn create(table: &Table, key: &Key, item: Item) -> Self {
        let put = Put::builder()
            .table_name(&*table.name)
            .set_item(Some(keyed(key, item)))
            .condition_expression("attribute_not_exists(PK)")
            .build();
        Self::built(put.map(|put| TransactWriteItem::builder().put(put).build()))
    }

    /// Puts an item, whatever is there.
    pub(crate) fn put(table: &Table, item: Item) -> Self {
        let put = Put::builder().table_name(&*table.name).set_item(Some(item)).build();
        Self::built(put.map(|put| TransactWriteItem::builder().put(put).build()))
    }

    /// Puts an item over one that meets a condition, and leaves nothing of that one.
    pub(crate) fn replace(table: &Table, key: &Key, (condition, values): (&str, Item), item: Item) -> Self {
        let put = Put::builder()
            .table_name(&*table.name)
            .set_item(Some(keyed(key, item)))
            .condition_expression(condition)
            .set_expression_attribute_values(Some(values))
            .build();
        Self::built(put.map(|put| TransactWriteItem::builder().put(put).build()))
    }

    /// Demands a condition of an item that stays as it is.
    pub(crate) fn check(table: &Table, key: &Key, condition: &str, values: Item) -> Self {
        let check = ConditionCheck::builder()
            .table_name(&*table.name)
            .set_key(Some(key.attributes()))
            .condition_expression(condition)
            .set_expression_attribute_names(condition.contains("#status").then(status))
            .set_expression_attribute_values((!values.is_empty()).then_some(values))
            .build();
        Self::built(check.map(|check| TransactWriteItem::builder().condition_check(check).build()))
    }

    /// Puts an item that is nothing but its key, or leaves it there.
    pub(crate) fn mark(table: &Table, key: &Key) -> Self {
        Self::put(table, key.attributes())
    }

    /// Adds to an item's numbers, which are 0 where they are not there.
    pub(crate) fn add<'a>(table: &Table, key: &Key, numbers: impl IntoIterator<Item = (&'a str, i64)>) -> Self {
        let changes = numbers.into_iter().fold(Changes::default(), |changes, (name, more)| changes.add(name, more));
        let (expression, names, values) = changes.into_expression();
        let update = Update::builder()
            .table_name(&*table.name)
            .set_key(Some(key.attributes()))
            .update_expression(expression)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .build();
        Self::built(update.map(|update| TransactWriteItem::builder().update(update).build()))
    }

    /// Deletes an item under a condition.
    pub(crate) fn delete(table: &Table, key: &Key, condition: &str, values: Item) -> Self {
        let delete = Delete::builder()
            .table_name(&*table.name)
            .set_key(Some(key.attributes()))
            .condition_expression(condition)
            .set_expression_attribute_values((!values.is_empty()).then_some(values))
            .build();
        Self::built(delete.map(|delete| TransactWriteItem::builder().delete(delete).build()))
    }

    /// Deletes an item, or nothing.
    pub(crate) fn delete_item(table: &Table, key: Item) -> Self {
        let delete = Delete::builder().table_name(&*table.name).set_key(Some(key)).build();
        Self::built(delete.map(|delete| TransactWriteItem::builder().delete(delete).build()))
    }

    /// Changes an item under a condition.
    pub(crate) fn update(table: &Table, key: &Key, condition: &str, update: Changes) -> Self {
        let (expression, names, values) = update.into_expression();
        let update = Update::builder()
            .table_name(&*table.name)
            .set_key(Some(key.attributes()))
            .update_expression(expression)
            .condition_expression(condition)
            .set_expression_attribute_names((!names.is_empty()).then_some(names))
            .set_expression_attribute_values((!values.is_empty()).then_some(values))
            .build();
        Self::built(update.map(|update| TransactWriteItem::builder().update(update).build()))
    }

    /// What a failed condition of this write means to the client.
    pub(crate) fn on_condition_failed(mut self, meaning: Error) -> Self {
        self.meaning = Some(meaning);
        self
    }

    fn built(item: Result<TransactWriteItem, aws_sdk_dynamodb::error::BuildError>) -> Self {
        match item {
            Ok(item) => Self { item, meaning: None },
            // The builders fail only where a field that each caller above sets is missing; an empty write is
            // refused by DynamoDB, so that even then nothing is half written.
            Err(missing) => {
                Self { item: TransactWriteItem::builder().build(), meaning: Some(Error::internal(missing)) }
            }
        }
    }
}

/// The alias of the one reserved word that conditions name.
fn status() -> HashMap<String, String> {
    HashMap::from([("#status".to_owned(), "status".to_owned())])
}

/// The parts of an update expression.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    set: Vec<String>,
    remove: Vec<String>,
    add: Vec<String>,
    delete: Vec<String>,
    names: HashMap<String, String>,
    values: Item,
}

impl Changes {
    /// What turns the item `old` into `new`, attribute by attribute, leaving all others alone.
    pub(crate) fn between(old: &Item, new: &Item) -> Self {
        let mut changes = Self::default();
        for (name, value) in new.iter().filter(|(name, value)| old.get(*name) != Some(value)) {
            changes = changes.set(name, value.clone());
        }
        for name in old.keys().filter(|name| !new.contains_key(*name)) {
            changes = changes.remove(name);
        }
        changes
    }

    pub(crate) fn set(mut self, name: &str, value: AttributeValue) -> Self {
        let at = self.name(name);
        self.set.push(format!("#{at} = :{at}"));
        self.values.insert(format!(":{at}"), value);
        self
    }

    pub(crate) fn remove(mut self, name: &str) -> Self {
        let at = self.name(name);
        self.remove.push(format!("#{at}"));
        self
    }

    /// Sets an entry of a map.
    pub(crate) fn set_in(mut self, map: &str, entry: &str, value: AttributeValue) -> Self {
        let (map, at) = (self.name(map), self.name(entry));
        self.set.push(format!("#{map}.#{at} = :{at}"));
        self.values.insert(format!(":{at}"), value);
        self
    }

    /// Removes an entry of a map.
    pub(crate) fn remove_in(mut self, map: &str, entry: &str) -> Self {
        let (map, at) = (self.name(map), self.name(entry));
        self.remove.push(format!("#{map}.#{at}"));
        self
    }

    pub(crate) fn add(mut self, name: &str, more: i64) -> Self {
        let at = self.name(name);
        self.add.push(format!("#{at} :{at}"));
        self.values.insert(format!(":{at}"), number(more));
        self
    }

    /// Adds a text to a set, which comes to be with its first one.
    pub(crate) fn add_to_set(mut self, name: &str, text: impl ToString) -> Self {
        let at = self.name(name);
        self.add.push(format!("#{at} :{at}"));
        self.values.insert(format!(":{at}"), AttributeValue::Ss(vec![text.to_string()]));
        self
    }

    /// Deletes texts from a set, which goes with its last one.
    pub(crate) fn delete_from_set(mut self, name: &str, texts: Vec<String>) -> Self {
        let at = self.name(name);
        self.delete.push(format!("#{at} :{at}"));
        self.values.insert(format!(":{at}"), AttributeValue::Ss(texts));
        self
    }

    /// A value that the condition names.
    pub(crate) fn value(mut self, name: &str, value: AttributeValue) -> Self {
        self.values.insert(name.to_owned(), value);
        self
    }

    /// A name that the condition uses.
    pub(crate) fn named(mut self, alias: &str, name: &str) -> Self {
        self.names.insert(alias.to_owned(), name.to_owned());
        self
    }

    /// Attributes are named by alias, since several of them are reserved words.
    fn name(&mut self, name: &str) -> String {
        let at = format!("n{}", self.names.len());
        self.names.insert(format!("#{at}"), name.to_owned());
        at
    }

    /// The expression, its names and its values.
    pub(crate) fn into_expression(self) -> (String, HashMap<String, String>, Item) {
        let parts = [("SET", self.set), ("REMOVE", self.remove), ("ADD", self.add), ("DELETE", self.delete)];
        let parts = parts.iter().filter(|(_, part)| !part.is_empty());
        let expression = parts.map(|(verb, part)| format!("{verb} {}", part.join(", "))).collect::<Vec<_>>().join(" ");
        (expression, self.names, self.values)
    }
}
