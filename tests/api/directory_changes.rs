//! The changes of a segment's users are never skipped, however many write at once and however long a write takes.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::faults::{Phase, Plan, Verdict, functions_behind};
use crate::recount::agrees;
use crate::reference::Random;
use crate::system::Ana;
use crate::world::{World, id};

const WRITERS: u64 = 32;

/// So many changes each writer makes.
const CHANGES: usize = 6;

/// Holds one transaction in six for most of a second, before it is carried out.
fn holding() -> Plan {
    let random = Mutex::new(Random(0x510));
    Arc::new(move |operation, _, phase| {
        if operation != "TransactWriteItems" || phase != Phase::Before || !random.lock().unwrap().one_in(6) {
            return Verdict::Pass;
        }
        let told = Arc::new(Notify::new());
        let later = told.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(700)).await;
            later.notify_one();
        });
        Verdict::Until(told)
    })
}

/// Changes users at random.
async fn writes(url: String, ana: Ana, segment: String, nth: u64, users: Arc<Mutex<Vec<String>>>) {
    let (mut random, client) = (Random(0xF00D + nth * 7717), reqwest::Client::new());
    let send = |method: &str, path: String, body: Value| {
        let call = client.request(method.parse().unwrap(), format!("{url}{path}")).bearer_auth(&ana.access);
        let call =
            if body.is_null() { call } else { call.header("content-type", "application/json").body(body.to_string()) };
        async move {
            let reply = call.send().await.unwrap();
            let status = reply.status().as_u16();
            let text = reply.text().await.unwrap();
            assert!(matches!(status, 200..300 | 404 | 409), "{status}: {text}");
            serde_json::from_str::<Value>(&text).unwrap_or_default()
        }
    };
    for turn in 0..CHANGES {
        tokio::time::sleep(Duration::from_millis(random.below(200) as u64)).await;
        let user = random.of(&users.lock().unwrap()).clone();
        let path = format!("/v1/users/{user}");
        match random.below(10) {
            0 => drop(send("DELETE", path, Value::Null).await),
            1 => drop(send("POST", format!("{path}/restoration"), Value::Null).await),
            2 => drop(send("DELETE", format!("{path}?purge=true"), Value::Null).await),
            3 => {
                let made = send("POST", format!("/v1/segments/{segment}/users"), json!({ "name": "New" })).await;
                users.lock().unwrap().push(id(&made));
            }
            _ => drop(send("PATCH", path, json!({ "name": format!("{nth}.{turn}") })).await),
        }
    }
}

/// A copy of the users, kept by the changes that are told.
struct Copy<'a> {
    world: &'a World,
    users: BTreeMap<String, Value>,
    /// Where to go on: a cursor, or the time of the last change.
    since: String,
    by_time: bool,
    /// How many pages it has read.
    pages: usize,
}

impl Copy<'_> {
    /// Reads what has changed, page by page.
    async fn follow(&mut self) {
        let mut walk: HashMap<String, String> = HashMap::new();
        loop {
            let path = format!("/v1/segments/{}/users/changes?page[size]=9{}", self.world.segment, self.since);
            let page = self.world.read(&path).await;
            self.pages += 1;
            let rows = page["data"].as_array().unwrap();
            assert!(rows.is_sorted_by_key(|row| row["changed_at"].as_str().unwrap()), "{page}");
            for row in rows {
                let (user, at) = (id(row), row["changed_at"].as_str().unwrap().to_owned());
                if let Some(before) = walk.insert(user.clone(), at.clone()) {
                    assert!(before < at, "{user} is told twice at {at}");
                }
                if row["deleted"] == true {
                    self.users.remove(&user);
                } else {
                    assert_eq!(row["user"]["updated_at"], row["changed_at"]);
                    self.users.insert(user, row["user"].clone());
                }
                if self.by_time {
                    self.since = format!("&since={at}");
                }
            }
            // The rows of the last time are told again: a whole page of one time would never end.
            let cursor = format!("&since={}", page["cursor"].as_str().unwrap());
            if !self.by_time {
                self.since = cursor;
            } else if page["has_more"] == true {
                let mut rest = Copy {
                    world: self.world,
                    users: std::mem::take(&mut self.users),
                    since: cursor,
                    by_time: false,
                    pages: 0,
                };
                Box::pin(rest.follow()).await;
                (self.users, self.pages) = (rest.users, self.pages + rest.pages);
            }
            if self.by_time || page["has_more"] == false {
                return;
            }
        }
    }
}

/// All users of the list.
async fn listed(world: &World) -> BTreeMap<String, Value> {
    let mut users = BTreeMap::new();
    let mut path = format!("/v1/segments/{}/users?page[size]=100", world.segment);
    loop {
        let page = world.read(&path).await;
        users.extend(page["data"].as_array().unwrap().iter().map(|user| (id(user), user.clone())));
        match page["links"]["next"].as_str() {
            Some(next) => path = next.to_owned(),
            None => return users,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_the_changes_has_a_true_copy_however_long_writes_take() {
    let world = World::start().await;
    let segment = format!("/v1/segments/{}", world.segment);
    let free = json!({ "settings": { "required_user_fields": [] } });
    assert_eq!(world.send("PATCH", &segment, free).await.status, 200);
    let bodies: Vec<_> = (0..40).map(|nth| json!({ "name": format!("n{nth}") })).collect();
    let made = world.send("POST", &format!("{segment}/users/batch"), json!({ "users": bodies })).await;
    let users: Vec<_> = made.body["results"].as_array().unwrap().iter().map(id).collect();
    let users = Arc::new(Mutex::new(users));
    let url = functions_behind(&world.muster, holding()).await;
    let copy = |by_time| Copy { world: &world, users: BTreeMap::new(), since: String::new(), by_time, pages: 0 };
    let (mut by_cursor, mut by_time) = (copy(false), copy(true));
    let done = AtomicBool::new(false);
    let writers: Vec<_> = (0..WRITERS)
        .map(|nth| tokio::spawn(writes(url.clone(), world.ana.clone(), world.segment.clone(), nth, users.clone())))
        .collect();
    let write = async {
        for writer in writers {
            writer.await.unwrap();
        }
        done.store(true, Ordering::SeqCst);
    };
    let read = async |copy: &mut Copy<'_>| {
        while !done.load(Ordering::SeqCst) {
            copy.follow().await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::join!(write, read(&mut by_cursor), read(&mut by_time));
    assert!(by_cursor.pages > 10 && by_time.pages > 10, "{} {}", by_cursor.pages, by_time.pages);
    let mut from_start = copy(false);
    let list = listed(&world).await;
    for copy in [&mut by_cursor, &mut by_time, &mut from_start] {
        copy.follow().await;
        assert_eq!(copy.users, list, "by time: {}", copy.by_time);
    }
    agrees(&world).await;
}
