//! How a change of e-mail is undone: a token, sent to the former address, that gives it back within a week.

use domain::{Email, Error, Time, UserId};
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::keys::{self, EMAIL_UNDOS, SK};
use crate::table::{Item, Query, Write, from_item, number, string, to_item};

/// What the token of an undo gives back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EmailUndo {
    /// The former address.
    pub email: Email,
    /// Whether it was proved.
    pub email_verified: bool,
    /// When it was replaced.
    pub created_at: Time,
    /// Until when it can be given back, in seconds since 1970.
    pub expires_at: i64,
}

/// What a change of e-mail does to the tokens that undo such changes.
#[derive(Debug, Clone)]
pub enum UndoChange {
    /// Keeps a new one, of which only the hash is in the table.
    Keep(String, EmailUndo),
    /// Uses this one up, with all that are newer: they would give back what it takes away.
    Use(String, EmailUndo),
}

impl Store {
    /// What the token of a user's undo gives back, if it is good: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn email_undo(&self, user: UserId, token: &str) -> Result<Option<EmailUndo>, Error> {
        let found: Option<EmailUndo> =
            self.table.get(&keys::email_undo(user, token)).await?.map(from_item).transpose()?;
        // TTL erases late.
        Ok(found.filter(|undo| undo.expires_at > Time::now().seconds()))
    }

    /// The sort keys of a user's undos that are newer than one: 1 `Query`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn newer_email_undos(&self, user: UserId, than: &EmailUndo) -> Result<Vec<Item>, Error> {
        let query = Query::under(keys::partition(user), EMAIL_UNDOS);
        let found = self.table.all_items(&query).await?;
        let is_newer =
            |item: &&Item| from_item::<EmailUndo>((*item).clone()).is_ok_and(|undo| undo.created_at > than.created_at);
        let key = |item: &Item| {
            let pk = item.get(keys::PK)?.clone();
            Some(Item::from([(keys::PK.to_owned(), pk), (SK.to_owned(), item.get(SK)?.clone())]))
        };
        Ok(found.iter().filter(is_newer).filter_map(key).collect())
    }

    /// What a change does to a user's undos.
    pub(crate) fn undo_written(&self, user: UserId, change: &UndoChange, newer: &[Item]) -> Result<Vec<Write>, Error> {
        let wrong =
            Error::invalid("/token", "invalid_token", "is no token that undoes a change of e-mail, or is used up");
        match change {
            UndoChange::Keep(token, undo) => {
                Ok(vec![Write::create(&self.table, &keys::email_undo(user, token), to_item(undo)?)])
            }
            UndoChange::Use(token, undo) => {
                let good = Item::from([
                    (":created".to_owned(), string(undo.created_at)),
                    (":now".to_owned(), number(Time::now().seconds())),
                ]);
                let condition = "created_at = :created AND expires_at > :now";
                let used = Write::delete(&self.table, &keys::email_undo(user, token), condition, good);
                let newer = newer.iter().map(|key| Write::delete_item(&self.table, key.clone()));
                Ok(std::iter::once(used.on_condition_failed(wrong)).chain(newer).collect())
            }
        }
    }
}
