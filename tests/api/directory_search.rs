//! Every list of users is a plain filter and sort of them: whatever is asked, page by page, and while users change.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::reference::{Question, Random, fields};
use crate::system::Reply;
use crate::world::{World, column, id};

/// A segment with random users.
struct Directory {
    world: World,
    random: Random,
    /// How many users have been made.
    made: usize,
}

impl Directory {
    async fn start(seed: u64, users: usize) -> Self {
        let world = World::start().await;
        let segment = format!("/v1/segments/{}", world.segment);
        let free = json!({ "settings": { "required_user_fields": [] } });
        assert_eq!(world.send("PATCH", &segment, free).await.status, 200);
        let mut directory = Self { world, random: Random(seed), made: 0 };
        let mut parents: Vec<String> = Vec::new();
        while directory.made < users {
            let mut bodies: Vec<_> = (0..100.min(users - directory.made)).map(|_| directory.another()).collect();
            for body in bodies.iter_mut().filter(|_| !parents.is_empty()) {
                if directory.random.one_in(3) {
                    body["parent_id"] = json!(directory.random.of(&parents[..parents.len().min(9)]));
                }
            }
            let reply = directory.world.send("POST", &directory.path("/batch"), json!({ "users": bodies })).await;
            let results = reply.body["results"].as_array().unwrap();
            let refused: Vec<_> = results.iter().filter(|result| result["status"] != 201).collect();
            assert!(refused.is_empty(), "{refused:?}");
            if parents.is_empty() {
                parents.extend(results.iter().map(|result| result["id"].as_str().unwrap().to_owned()));
            }
        }
        directory.some_end().await;
        directory
    }

    /// Blocks some, and deletes others.
    async fn some_end(&mut self) {
        let users = self.all("").await;
        for user in users {
            let path = format!("/v1/users/{}", id(&user));
            match self.random.below(12) {
                0 | 1 => {
                    let block =
                        json!({ "status": "BLOCKED", "status_reason": self.random.of(&["DEBT", "debt", "D-1"]) });
                    assert_eq!(self.world.send("PATCH", &path, block).await.status, 200);
                }
                // A parent stays.
                2 => drop(self.world.call("DELETE", &path).send().await),
                _ => {}
            }
        }
    }

    fn path(&self, rest: &str) -> String {
        format!("/v1/segments/{}/users{rest}", self.world.segment)
    }

    /// The body of a new user.
    fn another(&mut self) -> Value {
        self.made += 1;
        fields(&mut self.random, self.made)
    }

    /// All users of a list, as it gives them without filters.
    async fn all(&self, list: &str) -> Vec<Value> {
        let mut users = Vec::new();
        for number in 1.. {
            let page = self.world.read(&self.path(&format!("{list}?page[size]=100&page[number]={number}"))).await;
            users.extend(page["data"].as_array().unwrap().clone());
            if page["links"]["next"].is_null() {
                break;
            }
        }
        users
    }
}

fn ids(users: &[Value]) -> Vec<Value> {
    users.iter().map(|user| user["id"].clone()).collect()
}

/// The link to the page beside.
fn beside(reply: &Reply, which: &str) -> Option<String> {
    reply.body["links"][which].as_str().map(str::to_owned)
}

/// So many pages of a list are walked by cursor, there and back.
const PAGES: usize = 5;

impl Directory {
    /// Some pages by cursor, there and back, and some by number.
    async fn answers(&mut self, list: &str, question: &Question, expected: &[Value]) {
        let first = self.path(&format!("{list}?{}", question.query()));
        let pages: Vec<_> = expected.chunks(question.size).collect();
        let is_page = |reply: &Reply, at: usize| {
            let page = pages.get(at).copied().unwrap_or_default();
            assert_eq!(column(reply, "id"), ids(page), "page {at} of {first}");
            assert_eq!(reply.body["data"], json!(page), "page {at} of {first}");
            assert_eq!(reply.body["page"]["total_items"], expected.len(), "{first}");
            assert_eq!(beside(reply, "next").is_some(), at + 1 < pages.len(), "next of page {at} of {first}");
            assert_eq!(beside(reply, "prev").is_some(), at > 0 && !pages.is_empty(), "prev of page {at} of {first}");
        };
        let mut reply = self.world.get(&first).await;
        is_page(&reply, 0);
        let last = pages.len().min(PAGES).saturating_sub(1);
        for at in 1..=last {
            reply = self.world.get(&beside(&reply, "next").unwrap()).await;
            is_page(&reply, at);
        }
        for at in (0..last).rev() {
            reply = self.world.get(&beside(&reply, "prev").unwrap()).await;
            is_page(&reply, at);
        }
        for at in [self.random.below(pages.len() + 1), pages.len().saturating_sub(1)] {
            is_page(&self.world.get(&format!("{first}&page[number]={}", at + 1)).await, at);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_of_users_is_as_filtered_and_sorted_in_memory() {
    let mut directory = Directory::start(0x5EED_CAFE, 180).await;
    let (used, deleted) = (directory.all("").await, directory.all("/deleted").await);
    assert_eq!(ids(&used).iter().chain(&ids(&deleted)).collect::<HashSet<_>>().len(), directory.made);
    assert!(deleted.len() > 5 && used.iter().filter(|user| user["status"] == "BLOCKED").count() > 15);
    let mut found = 0;
    for turn in 0..70 {
        let (list, users) = if turn % 8 == 7 { ("/deleted", &deleted) } else { ("", &used) };
        let question = Question::random(&mut directory.random, users);
        let expected = question.expected(users);
        directory.answers(list, &question, &expected).await;
        found += usize::from(!expected.is_empty());
    }
    assert!(found > 45, "{found} of the questions find something");
}

impl Directory {
    /// A page that is read while users come, change and go; tells who of `users` was touched.
    async fn page_while_others_write(&mut self, link: &str, users: &[Value], touched: &mut HashSet<String>) -> Reply {
        let mut touch = |random: &mut Random| {
            let user = id(random.of(users));
            touched.insert(user.clone());
            format!("/v1/users/{user}")
        };
        let (changed, gone) = (touch(&mut self.random), touch(&mut self.random));
        let (new, mut other) = (self.another(), self.another());
        for field in ["email", "username", "identification", "tax_identification", "operation_country", "reference_id"]
        {
            other.as_object_mut().unwrap().remove(field);
        }
        let (world, list) = (&self.world, self.path(""));
        let deleted = world.call("DELETE", &gone);
        let write = async {
            let made = world.send("POST", &list, new).await;
            assert_eq!(made.status, 201, "{made:?}");
            let changed = world.send("PATCH", &changed, other).await;
            assert!(matches!(changed.status.as_u16(), 200 | 409), "deleted before, maybe: {changed:?}");
            let deleted = deleted.send().await;
            assert!(matches!(deleted.status.as_u16(), 204 | 409), "a parent, maybe: {deleted:?}");
        };
        tokio::join!(world.get(link), write).0
    }

    /// The last page that the links of a page lead to.
    async fn last_after(&self, mut reply: Reply) -> Reply {
        while let Some(link) = beside(&reply, "next") {
            reply = self.world.get(&link).await;
        }
        reply
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_who_stay_as_they_are_are_met_once_whoever_comes_goes_and_changes() {
    let mut directory = Directory::start(0xB0A7, 80).await;
    for _ in 0..3 {
        let users = directory.all("").await;
        let question = loop {
            let mut question = Question::random(&mut directory.random, &users);
            question.size = 7;
            if question.expected(&users).len() > 25 {
                break question;
            }
        };
        let mut reply = directory.world.get(&directory.path(&format!("?{}", question.query()))).await;
        for way in ["next", "prev"] {
            let before = directory.all("").await;
            if way == "prev" {
                reply = directory
                    .last_after(directory.world.get(reply.body["links"]["self"].as_str().unwrap()).await)
                    .await;
                if column(&reply, "id").is_empty() {
                    continue;
                }
            }
            let (mut met, mut touched) = (vec![column(&reply, "id")], HashSet::new());
            while let Some(link) = beside(&reply, way) {
                reply = directory.page_while_others_write(&link, &before, &mut touched).await;
                met.push(column(&reply, "id"));
            }
            if way == "prev" {
                met.reverse();
            }
            let stay = ids(&question.expected(&before));
            let stay: Vec<_> = stay.into_iter().filter(|id| !touched.contains(id.as_str().unwrap())).collect();
            let met: Vec<_> = met.into_iter().flatten().filter(|id| stay.contains(id)).collect();
            assert_eq!(met, stay, "{way} {question:?}");
            assert!(touched.len() > 4);
        }
    }
}
