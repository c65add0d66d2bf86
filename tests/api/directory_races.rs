//! Many at once at the users of one segment: one wins, and what is counted equals what is there.

use domain::{Act, Action, Actor, Entry, Error, Status, Time};
use serde_json::{Value, json};
use store::{Also, PendingKind};

use crate::races::all;
use crate::recount::agrees;
use crate::system::Reply;
use crate::world::{World, as_refused, id, refused};

fn users(world: &World) -> String {
    format!("/v1/segments/{}/users", world.segment)
}

/// A new user, which must be taken: its path.
async fn user(world: &World, body: Value) -> String {
    format!("/v1/users/{}", id(&world.muster.made(&world.ana, &users(world), body).await))
}

fn count(replies: &[Reply], status: u16) -> usize {
    replies.iter().filter(|reply| reply.status == status).count()
}

/// Of 500 creations at once with these bodies one is taken, and all others are refused for `pointer`.
async fn one_of(world: &World, pointer: &str, body: impl Fn(usize) -> Value) {
    let path = users(world);
    let replies = all((0..500).map(|nth| world.send("POST", &path, body(nth)))).await;
    assert_eq!(count(&replies, 201), 1, "{pointer}");
    let lost = replies.iter().filter(|reply| refused(reply) == as_refused((409, pointer, "taken")));
    assert_eq!(lost.count(), 499, "{pointer}");
    assert!(replies.iter().all(|reply| reply.status == 201 || reply.errors().len() == 1));
    agrees(world).await;
    assert_eq!(world.read(&path).await["page"]["total_items"], 1, "{pointer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_five_hundred_users_with_one_email_in_any_case_one_is_made() {
    let world = World::start().await;
    let email = |nth: usize| -> String {
        let letters = "one.and.only@example.com".chars().enumerate();
        letters
            .map(|(at, letter)| if nth >> (at % 9) & 1 == 1 { letter.to_ascii_uppercase() } else { letter })
            .collect()
    };
    one_of(&world, "/email", |nth| json!({ "email": email(nth), "name": format!("n{nth}") })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_five_hundred_users_with_one_document_in_any_writing_one_is_made() {
    let world = World::start().await;
    let writings = ["12.345.678-5", "12345678-5", "123456785"];
    one_of(&world, "/identification", |nth| {
        let rut = json!({ "type": "RUT", "value": writings[nth % writings.len()] });
        json!({ "email": format!("u{nth}@example.com"), "operation_country": "CHL", "identification": rut })
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_five_hundred_users_with_one_reference_id_one_is_made() {
    let world = World::start().await;
    let body = |nth: usize| json!({ "email": format!("u{nth}@example.com"), "reference_id": "crm-1" });
    one_of(&world, "/reference_id", body).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_changes_of_one_version_one_holds() {
    let world = World::start().await;
    for round in 0..10 {
        let path = user(&world, json!({ "email": format!("u{round}@example.com"), "name": "Before" })).await;
        let change =
            |name: &str| world.call("PATCH", &path).header("if-match", "\"1\"").json(json!({ "name": name })).send();
        let replies = all([change("One"), change("Two")]).await;
        assert_eq!((count(&replies, 200), count(&replies, 412)), (1, 1), "{replies:?}");
        let held = replies.iter().find(|reply| reply.status == 200).unwrap();
        assert_eq!((&world.read(&path).await, &held.body["version"]), (&held.body, &json!(2)));
    }
    // Without a version, each change holds, one after the other.
    let path = user(&world, json!({ "email": "all@example.com" })).await;
    let replies =
        all((0..20).map(|nth| world.send("PATCH", &path, json!({ "metadata": { format!("k{nth}"): nth } })))).await;
    assert_eq!(count(&replies, 200), 20);
    assert_eq!(world.read(&path).await["metadata"].as_object().unwrap().len(), 20);
    agrees(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_race_makes_a_family_of_three_generations() {
    let world = World::start().await;
    for round in 0..15 {
        let mut family = Vec::new();
        for nth in 0..3 {
            family.push(user(&world, json!({ "email": format!("u{round}.{nth}@example.com") })).await);
        }
        let under = |child: usize, parent: usize| {
            let parent = family[parent].rsplit('/').next().unwrap();
            world.send("PATCH", &family[child], json!({ "parent_id": parent }))
        };
        let replies = all([under(0, 1), under(1, 2), under(2, 0)]).await;
        assert!(count(&replies, 200) >= 1, "{replies:?}");
        assert!(count(&replies, 200) + count(&replies, 400) + count(&replies, 409) == 3, "{replies:?}");
        agrees(&world).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_child_comes_to_a_parent_who_is_deleted() {
    let world = World::start().await;
    let path = users(&world);
    for round in 0..12 {
        let parent = user(&world, json!({ "email": format!("p{round}@example.com") })).await;
        let parent_id = parent.rsplit('/').next().unwrap().to_owned();
        let moving = user(&world, json!({ "email": format!("m{round}@example.com") })).await;
        let gone = match round % 4 {
            0 => parent.clone(),
            1 => format!("{parent}?cascade=true"),
            2 => format!("{parent}?purge=true"),
            _ => format!("{parent}?purge=true&cascade=true"),
        };
        let delete = async {
            let call = world.call("DELETE", &gone);
            if round % 2 == 0 { call.header("if-match", "\"1\"").send().await } else { call.send().await }
        };
        let create = async { world.send("POST", &path, json!({ "parent_id": parent_id })).await };
        let change = async { world.send("PATCH", &moving, json!({ "parent_id": parent_id })).await };
        let (deleted, created, changed) = tokio::join!(delete, create, change);
        match deleted.status.as_u16() {
            204 => assert!(round % 2 == 1 || [&created, &changed].iter().all(|reply| reply.status == 400)),
            409 => assert_eq!(refused(&deleted), as_refused((409, "", "has_children"))),
            _ => panic!("{deleted:?}"),
        }
        for reply in [created, changed] {
            assert!(
                reply.status.is_success() || refused(&reply) == as_refused((400, "/parent_id", "unknown")),
                "{reply:?}"
            );
        }
        agrees(&world).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_restoration_and_a_creation_with_the_same_email_one_gets_it() {
    let world = World::start().await;
    let path = users(&world);
    for round in 0..12 {
        let email = format!("u{round}@example.com");
        let old = user(&world, json!({ "email": email })).await;
        assert_eq!(world.call("DELETE", &old).send().await.status, 204);
        let restore = || world.call("POST", &format!("{old}/restoration")).send();
        let replies = all([
            Box::pin(restore()) as std::pin::Pin<Box<dyn Future<Output = Reply> + Send>>,
            Box::pin(restore()),
            Box::pin(world.send("POST", &path, json!({ "email": email.to_uppercase() }))),
        ])
        .await;
        let won = replies.iter().filter(|reply| reply.status.is_success()).count();
        assert_eq!((won, count(&replies, 409)), (1, 2), "{replies:?}");
        agrees(&world).await;
    }
    assert_eq!(world.read(&path).await["page"]["total_items"], 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn users_who_change_block_go_and_come_back_at_once_leave_nothing_wrong() {
    let world = World::start().await;
    let path = users(&world);
    let mut made = Vec::new();
    for nth in 0..8 {
        made.push(user(&world, json!({ "email": format!("u{nth}@example.com") })).await);
    }
    let calls = made.iter().enumerate().flat_map(|(nth, user)| {
        let parent = made[(nth + 1) % made.len()].rsplit('/').next().unwrap();
        let purge = format!("{user}{}", if nth % 3 == 0 { "?purge=true&cascade=true" } else { "?cascade=true" });
        [
            world.send(
                "PATCH",
                user,
                json!({ "name": "Ñ", "gender": "OTHER", "reference_id": format!("r{}", nth / 2) }),
            ),
            world.send("PATCH", user, json!({ "status": "BLOCKED", "status_reason": "X" })),
            world.send("PATCH", user, json!({ "parent_id": parent })),
            world.send("POST", &path, json!({ "parent_id": parent, "email": format!("u{nth}@EXAMPLE.com") })),
            world.send("DELETE", &purge, Value::Null),
            world.send("POST", &format!("{user}/restoration"), Value::Null),
            world.send("PATCH", user, json!({ "email": format!("u{}@example.com", (nth + 3) % 8) })),
        ]
    });
    let replies = all(calls).await;
    let fits = |reply: &Reply| reply.status.is_success() || matches!(reply.status.as_u16(), 400 | 404 | 409);
    assert!(replies.iter().all(fits), "{:#?}", replies.iter().filter(|reply| !fits(reply)).collect::<Vec<_>>());
    agrees(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_erases_a_user_second_counts_nothing_off() {
    let world = World::start().await;
    let path = user(&world, json!({ "email": "eva@example.com" })).await;
    user(&world, json!({ "email": "other@example.com" })).await;
    let store = &world.muster.functions.app.store;
    let record = store.user(path.rsplit('/').next().unwrap().parse().unwrap()).await.unwrap().unwrap();
    let gone = record.user.moved(Status::Deleted, Time::now());
    let entry = Entry::between(Some(&record.user), &gone, Action::Deleted, Act::of(Actor::System, "test"));
    let purge = Also { begins: Some(PendingKind::Purge), ..Also::default() };
    let begun = store.change_user(&record, &gone, &entry, purge.clone()).await.unwrap();
    let again = gone.moved(Status::Deleted, Time::now().plus(std::time::Duration::from_millis(5)));
    let entry = Entry::between(Some(&gone), &again, Action::Deleted, Act::of(Actor::System, "test"));
    store.change_user(&begun, &again, &entry, purge).await.unwrap();
    assert!(matches!(store.erase(&gone, Act::by_itself("test")).await, Err(Error::Stale)), "it has begun again");
    let gone = again;
    let (one, two) =
        tokio::join!(store.erase(&gone, Act::by_itself("test")), store.erase(&gone, Act::by_itself("test")));
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    assert!(matches!(store.erase(&gone, Act::by_itself("test")).await, Err(Error::Stale)));
    agrees(&world).await;
}
