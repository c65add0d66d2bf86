//! Users of a segment.

use domain::{Entry, Error, SegmentId, User, UserId};

use crate::Store;
use crate::bulk::{Gathered, key};
use crate::keys::{self, ENTRIES, Key};
use crate::table::Item;
use crate::user::directory;

/// Gathers new users of a segment that has none yet.
#[derive(Debug)]
pub struct NewUsers<'a> {
    store: &'a Store,
    owner: UserId,
    gathered: Gathered,
    /// Partitions of index entries, and what the names of those begin with that are a bucket's.
    left_out: Vec<(String, String)>,
    histories: bool,
}

impl Store {
    /// No users yet, of a segment of this owner's.
    #[must_use]
    pub fn new_users(&self, owner: UserId) -> NewUsers<'_> {
        NewUsers { store: self, owner, gathered: Gathered::default(), left_out: Vec::new(), histories: true }
    }
}

impl NewUsers<'_> {
    /// Leaves out histories, and the entries of these fields: for a bench that reads none of it, and has not the memory.
    #[must_use]
    pub fn without(mut self, segment: SegmentId, fields: &[&str]) -> Self {
        let partition = |field: &&str, bucket| keys::index(&directory(segment), field, bucket);
        self.left_out = fields.iter().map(|field| (partition(field, None), partition(field, Some("")))).collect();
        self.histories = false;
        self
    }

    /// Adds a user who has no parent, with the writes of [`Store::create_user`]: its row, claims, history, entries and
    /// change, but no event. Nothing is written, and nothing asked of what is there.
    ///
    /// # Errors
    /// [`Error::Conflict`] where another one has its id or a value that is unique.
    pub fn add(&mut self, user: &User, entry: &Entry) -> Result<Vec<Item>, Error> {
        let untold = Entry { silent: true, ..entry.clone() };
        let mut items = self.gathered.add(self.store.new_user_of(self.owner, user, &untold)?)?;
        items.retain(|item| key(item).is_ok_and(|key| self.keeps(&key)));
        Ok(items)
    }

    fn keeps(&self, key: &Key) -> bool {
        let is_in = |(whole, bucket): &(String, String)| key.pk == *whole || key.pk.starts_with(bucket);
        (self.histories || !key.sk.starts_with(ENTRIES)) && !self.left_out.iter().any(is_in)
    }

    /// The items that all of them change together: counters.
    pub fn counters(self) -> impl Iterator<Item = Item> {
        self.gathered.counters()
    }
}

#[cfg(test)]
mod tests {
    use domain::segment::SegmentNumber;
    use domain::{Act, Action, Actor, Body as _, Segment, SegmentFields, SegmentId, Status, Time, UserFields};
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::bulk::everything;
    use crate::emulator::Emulator;
    use crate::table::string;

    fn id(nth: u128) -> Uuid {
        Uuid::from_u128(nth)
    }

    /// A segment, the same in each emulator.
    async fn segment(store: &Store, emulator: &Emulator) -> Segment {
        let owner = Item::from([("status".to_owned(), string("ACTIVE"))]);
        emulator.fill([(keys::user(id(1).into()), owner)].into_iter());
        let fields = SegmentFields::parse(json!({ "name": "S" })).unwrap();
        let number = SegmentNumber::default();
        let segment = Segment::new(SegmentId::from(id(1)), id(1).into(), number, fields, Time::of(Uuid::nil()));
        store.create_segment(&segment).await.unwrap()
    }

    fn user(of: &Segment, nth: u128, fields: serde_json::Value) -> (User, Entry) {
        let fields = UserFields::parse(fields).unwrap();
        let now = Time::from_millis(1_000 * i64::try_from(nth).unwrap());
        let mut user = User::of_segment(id(nth).into(), of.id, fields, now);
        if nth == 4 {
            user.status = Status::Blocked;
        }
        let entry = Entry::between(None, &user, Action::Created, Act::of(Actor::System, "bench").untold());
        (user, Entry { id: id(nth).into(), ..entry })
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_items_are_those_that_transactions_leave() {
        let (one, other) = (Emulator::start().await, Emulator::start().await);
        let (by_one, at_once) = (Store::new(one.table.clone()), Store::new(other.table.clone()));
        let (of, again) = (segment(&by_one, &one).await, segment(&at_once, &other).await);
        assert_eq!(of.id, again.id);
        let mut new = at_once.new_users(of.owner_id);
        let document = json!({ "type": "PASSPORT", "value": "G12345678" });
        for (nth, fields) in [
            (2, json!({})),
            (
                3,
                json!({ "email": "ana@example.com", "username": "ana.3", "reference_id": "R-3", "name": "Ana",
                "last_name": "Núñez", "gender": "FEMALE", "identification": document, "city": { "name": "Mérida" } }),
            ),
            (4, json!({ "email": "eva@example.com", "last_name": "Núñez" })),
        ] {
            let (user, entry) = user(&of, nth, fields);
            by_one.create_user(&user, of.owner_id, &entry).await.unwrap();
            let items = new.add(&user, &entry).unwrap();
            other.fill(items.into_iter().map(|item| (key(&item).unwrap(), item)));
        }
        for (nth, taken) in [(5, "/email"), (4, "/id")] {
            let fields = if nth == 5 { json!({ "email": "Ana@example.com" }) } else { json!({}) };
            let (user, entry) = user(&of, nth, fields);
            let Err(Error::Conflict(fields)) = new.add(&user, &entry) else { panic!("added") };
            assert_eq!(fields.first().unwrap().pointer, taken);
        }
        let (child, entry) = user(&of, 6, json!({ "parent_id": id(2) }));
        assert!(new.add(&child, &entry).is_err());
        other.fill(new.counters().map(|item| (key(&item).unwrap(), item)));
        let (by_one, at_once) = (everything(&one).await, everything(&other).await);
        assert!(by_one.len() > 50, "{}", by_one.len());
        assert_eq!(by_one.keys().collect::<Vec<_>>(), at_once.keys().collect::<Vec<_>>());
        assert_eq!(by_one, at_once);
    }
    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_not_read_is_left_out() {
        let emulator = Emulator::start().await;
        let store = Store::new(emulator.table.clone());
        let of = segment(&store, &emulator).await;
        let (user, entry) = user(&of, 2, json!({ "name": "Ana", "last_name": "Núñez" }));
        let (mut all, new) = (store.new_users(of.owner_id), store.new_users(of.owner_id));
        let keys = |items: Vec<Item>| items.iter().map(|item| key(item).unwrap()).collect::<Vec<_>>();
        let mut all = keys(all.add(&user, &entry).unwrap());
        let few = keys(new.without(of.id, &["name"]).add(&user, &entry).unwrap());
        all.retain(|key| !few.contains(key));
        let parts: Vec<_> = all.iter().map(|key| key.pk.split('#').nth(3).unwrap_or("history")).collect();
        assert_eq!(parts, ["name", "name", "history"]);
    }
}
