//! Random changes of a segment's users, sixteen at once, over a connection that fails: what is counted equals a recount
//! at the end.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::StatusCode;
use domain::user::UserFields;
use domain::{Act, Action, Actor, Body as _, Entry, Error, SegmentId, Status, Time, User, UserId};
use local::{Functions, Options};
use serde_json::{Value, json};
use store::{Also, PendingKind, Store, UserRecord};

use crate::faults::{Phase, Plan, Verdict, contended, wiring_behind};
use crate::recount::agrees;
use crate::reference::Random;
use crate::system::Muster;
use crate::world::World;

const AT_ONCE: u64 = 16;

/// Of the calls, one in thirty is not carried out, or carried out and then said to have failed, or meets another one.
fn failing(failed: Arc<AtomicUsize>) -> Plan {
    let random = Mutex::new(Random(0xFA11));
    let error = |status, kind: &str| Verdict::Answer(status, json!({ "__type": kind, "message": "later" }));
    Arc::new(move |operation, _, phase| {
        let turn = random.lock().unwrap().below(60);
        let verdict = match (turn, phase, operation) {
            (0, _, _) => {
                error(StatusCode::INTERNAL_SERVER_ERROR, "com.amazonaws.dynamodb.v20120810#InternalServerError")
            }
            (1, _, _) => error(StatusCode::BAD_REQUEST, "com.amazonaws.dynamodb.v20120810#RequestLimitExceeded"),
            (2, Phase::Before, "TransactWriteItems") => contended(),
            _ => return Verdict::Pass,
        };
        failed.fetch_add(1, Ordering::Relaxed);
        verdict
    })
}

/// One of those who change users.
struct Worker {
    store: Store,
    segment: SegmentId,
    owner: UserId,
    random: Random,
    /// The ids of all that were made, by anybody.
    users: Arc<Mutex<Vec<UserId>>>,
}

impl Worker {
    fn maybe(&mut self, fields: &mut Value, field: &str, values: &[&str]) {
        if self.random.one_in(2) {
            fields[field] = if self.random.one_in(4) { Value::Null } else { json!(self.random.of(values)) };
        }
    }

    /// Fields over those that there are: few values, so that they meet.
    fn fields(&mut self, before: &UserFields) -> UserFields {
        let mut fields = Value::Object(before.show());
        self.maybe(&mut fields, "name", &["Ana", "ána", "Zoë"]);
        self.maybe(&mut fields, "gender", &["FEMALE", "MALE"]);
        self.maybe(&mut fields, "phone", &["+5215512345678", "+56912345678"]);
        if self.random.one_in(2) {
            fields["email"] = json!(format!("u{}@example.com", self.random.below(400)));
        }
        if self.random.one_in(3) {
            fields["identification"] = json!({ "type": "DNI", "value": format!("20000{:03}", self.random.below(300)) });
        }
        UserFields::parse(fields).unwrap()
    }

    fn somebody(&mut self) -> Option<UserId> {
        let users = self.users.lock().unwrap();
        (!users.is_empty()).then(|| *self.random.of(&users))
    }

    /// One random change; whether it was made.
    async fn change(&mut self) -> Result<(), Error> {
        let turn = self.random.below(20);
        let Some(id) = self.somebody().filter(|_| turn > 5) else { return self.create().await };
        let Some(old) = self.store.user(id).await? else {
            self.users.lock().unwrap().retain(|other| *other != id);
            return Err(Error::NotFound);
        };
        let now = Time::now();
        let user = &old.user;
        let (new, action) = match (user.status, turn) {
            (_, 6) => return self.purge(&old).await,
            (Status::Deleted, _) if old.pending.is_none() => (user.moved(Status::Active, now), Action::Restored),
            (Status::Deleted, _) => return Err(Error::NotFound),
            (_, 7 | 8) => (user.moved(Status::Deleted, now), Action::Deleted),
            (Status::Blocked, _) => (user.moved(Status::Active, now), Action::Unblocked),
            (_, 9) => (user.moved(Status::Blocked, now), Action::Blocked),
            (_, 10..13) => {
                let mut new = user.next(now);
                new.fields.parent_id = if self.random.one_in(3) { None } else { self.somebody() };
                (new, Action::Updated)
            }
            _ => (User { fields: self.fields(&user.fields), ..user.next(now) }, Action::Updated),
        };
        let entry = Entry::between(Some(user), &new, action, Act::of(Actor::System, "test"));
        self.store.change_user(&old, &new, &entry, Also::default()).await.map(drop)
    }

    async fn create(&mut self) -> Result<(), Error> {
        let mut fields = self.fields(&UserFields::default());
        if self.random.one_in(4) {
            fields.parent_id = self.somebody();
        }
        let id = UserId::fresh();
        let user = User::of_segment(id, self.segment, fields, Time::now());
        // Even where the answer is lost it may be there.
        self.users.lock().unwrap().push(id);
        let entry = Entry::between(None, &user, Action::Created, Act::of(Actor::System, "test"));
        self.store.create_user(&user, self.owner, &entry).await.map(drop)
    }

    /// Erases a user; one in three is left for the reconciler.
    async fn purge(&mut self, old: &UserRecord) -> Result<(), Error> {
        let new = old.user.moved(Status::Deleted, Time::now());
        let entry = Entry::between(Some(&old.user), &new, Action::Deleted, Act::of(Actor::System, "test"));
        let also = Also { begins: Some(PendingKind::Purge), ..Also::default() };
        let gone = self.store.change_user(old, &new, &entry, also).await?;
        if self.random.one_in(3) { Ok(()) } else { self.store.erase(&gone.user, Act::by_itself("test")).await }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_changes_that_fail_at_times_all_that_is_counted_equals_a_recount() {
    changes(400).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes"]
async fn after_ten_thousand_changes_that_fail_at_times_all_that_is_counted_equals_a_recount() {
    changes(10_000).await;
}

async fn changes(all: usize) {
    // The reconciler would erase who is to be purged while all is counted again.
    let options = Options { reconcile_every: Duration::from_secs(3600), ..Options::default() };
    let world = World::on(Muster::with(options).await, json!({ "name": "Club" })).await;
    let failed = Arc::<AtomicUsize>::default();
    let wiring = wiring_behind(&world.muster, failing(failed.clone())).await;
    let (store, users) = (Functions::connect(&wiring).app.store, Arc::<Mutex<Vec<UserId>>>::default());
    let workers = (0..AT_ONCE).map(|nth| {
        let mut worker = Worker {
            store: store.clone(),
            segment: world.segment.parse().unwrap(),
            owner: world.ana.id.parse().unwrap(),
            random: Random(0xD00D + nth * 7919),
            users: users.clone(),
        };
        tokio::spawn(async move {
            let (mut made, mut broken) = (0, Vec::new());
            for _ in 0..all / AT_ONCE as usize {
                match worker.change().await {
                    Ok(()) => made += 1,
                    Err(error @ Error::Internal(_)) => broken.push(format!("{error:?}")),
                    Err(_) => {}
                }
            }
            assert!(broken.is_empty(), "{broken:?}");
            made
        })
    });
    let mut made = 0;
    for worker in workers.collect::<Vec<_>>() {
        made += worker.await.unwrap();
    }
    let failed = failed.load(Ordering::Relaxed);
    assert!(made > all / 3 && failed > all / 20, "{made} {failed}");
    agrees(&world).await;
    let store = &world.muster.functions.app.store;
    for id in store.pending(PendingKind::Purge, Time::now()).await.unwrap() {
        let record = store.user(id).await.unwrap().unwrap();
        store.erase(&record.user, Act::by_itself("test")).await.unwrap();
    }
    agrees(&world).await;
}
