//! What a member changes itself is approved again; closed memberships are for their members; card numbers.

use serde_json::{Value, json};

use crate::system::Ana;
use crate::uploads::samples::PDF;
use crate::uploads::sent::upload;
use crate::world::{World, refused};

/// An approved member who has signed in, and the path of the member.
async fn approved(world: &World) -> (Ana, String) {
    let eva = world.segment_user().await;
    let member = json!({ "user_id": eva.id, "name": "Eva", "approval": "APPROVED" });
    (eva, world.member(member).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn own_change_of_an_approved_member_returns_it_to_pending() {
    let world = World::start().await;
    world.field("city", "string", json!({})).await;
    world.field("certificate", "file", json!({ "content_types": ["application/pdf"] })).await;
    let answers = |member: &str| format!("{member}/answers");
    for keeps in [false, true] {
        let settings = json!({ "settings": { "keep_approval": keeps } });
        assert_eq!(world.send("PATCH", &world.path(""), settings).await.status, 200);
        let after_own = if keeps { "APPROVED" } else { "PENDING" };
        for what in ["name", "same name", "phone", "answer", "same answer", "file", "dialect"] {
            let (eva, member) = approved(&world).await;
            let id = member.rsplit('/').next().unwrap().to_owned();
            let own = async |method: &str, path: &str, body: Value| {
                let reply = world.muster.call(method, path).json(body).by(&eva).send().await;
                assert!(reply.status.is_success(), "{what} {reply:?}");
            };
            assert_eq!(world.send("PUT", &answers(&member), json!({ "city": "Lima" })).await.status, 200);
            assert_eq!(world.read(&member).await["approval"], "APPROVED", "the owner's own change");
            match what {
                "name" => own("PATCH", &member, json!({ "name": "Eve" })).await,
                "same name" => own("PATCH", &member, json!({ "name": "Eva" })).await,
                "phone" => own("PATCH", &member, json!({ "phone": "+5215512345678" })).await,
                "answer" => own("PUT", &answers(&member), json!({ "city": "Quito" })).await,
                "same answer" => own("PUT", &answers(&member), json!({ "city": "Lima" })).await,
                "file" => {
                    let more = json!({
                        "segment_id": world.segment, "member_id": id, "field": "certificate",
                        "content_type": "application/pdf",
                    });
                    let file = upload((&world.muster, &eva), more, PDF).await;
                    own("PUT", &answers(&member), json!({ "certificate": file })).await;
                }
                _ => {
                    let fields = world.read(&format!("{}?filter[key]=city", world.path("/fields"))).await;
                    let answer = json!([{ "membership_custom_field_id": fields["data"][0]["id"], "answer": "Quito" }]);
                    let body = json!({ "membership_user_id": id, "custom_fields": answer });
                    own("POST", "/flows/membership-custom-field-answer/stack", body).await;
                }
            }
            let expected = if what.starts_with("same") { "APPROVED" } else { after_own };
            assert_eq!(world.read(&member).await["approval"], expected, "{what}, keep_approval: {keeps}");
            world.award(&member, 3).await;
            assert_eq!(world.read(&member).await["approval"], expected, "points are the owner's");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_membership_is_read_by_its_members_and_the_account_only() {
    let world = World::start().await;
    let level = world.level(1, 0, 9).await;
    let field = world.field("city", "string", json!({})).await;
    let product = world.product().await;
    let (eva, _) = approved(&world).await;
    let (other, stranger) = (world.segment_user().await, world.muster.ana().await);
    // One who has joined something else is no member either.
    let memberships = format!("/v1/segments/{}/memberships", world.segment);
    let open = json!({ "name": "Open", "self_enrolment": true });
    let open = crate::world::id(&world.muster.made(&world.ana, &memberships, open).await);
    world.muster.made(&other, &format!("/v1/memberships/{open}/members"), json!({ "name": "Other" })).await;
    let (_, key) = world.key(&["read"]).await;
    let flows = [
        format!("/flows/membership-level/list/{}", world.membership),
        format!("/flows/membership-custom-field/list/{}", world.membership),
    ];
    let readable =
        [world.path(""), world.path("/levels"), world.path(&format!("/levels/{level}")), world.path("/fields"), field];
    let managed = [
        world.path("/ranking"),
        world.path("/members"),
        format!("/v1/segments/{}/products", world.segment),
        format!("/v1/segments/{}/products/{product}", world.segment),
    ];
    for path in readable.iter().chain(&flows) {
        for by in [&other, &stranger] {
            assert_eq!(world.muster.get(path).by(by).send().await.status, 404, "{path}");
        }
        assert_eq!(world.muster.get(path).by(&eva).send().await.status, 200, "{path}");
        assert_eq!(world.get(path).await.status, 200, "{path}");
    }
    for path in &managed {
        for by in [&other, &stranger] {
            assert_eq!(world.muster.get(path).by(by).send().await.status, 404, "{path}");
        }
    }
    for path in readable.iter().chain(&managed) {
        assert_eq!(world.muster.get(path).token(&key).send().await.status, 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn payment_cards_are_refused_where_segment_or_membership_says_so() {
    let world = World::open().await;
    let segment = format!("/v1/segments/{}", world.segment);
    let visa = "4111 1111 1111 1111";
    let (eva, member) = approved(&world).await;
    let tries = async |card: &str| {
        let body = json!({ "card_number": card });
        let joining = world.segment_user().await;
        let flow = json!({ "membership_id": world.membership, "card_number": card });
        let mut replies = Vec::new();
        for (method, path, body, by) in [
            ("POST", world.path("/members"), body.clone(), &world.ana),
            ("PATCH", member.clone(), body.clone(), &world.ana),
            ("PATCH", member.clone(), json!({ "card_number": null }), &world.ana),
            ("PATCH", member.clone(), body.clone(), &eva),
            ("PATCH", member.clone(), json!({ "card_number": null }), &world.ana),
            ("POST", "/flows/membership-user".to_owned(), flow, &joining),
        ] {
            if body["card_number"].is_null() {
                assert_eq!(world.muster.call(method, &path).json(body).by(by).send().await.status, 200);
                continue;
            }
            replies.push(world.muster.call(method, &path).json(body).by(by).send().await);
        }
        replies
    };
    assert!(tries(visa).await.iter().all(|reply| reply.status.is_success()), "never guessed by default");
    for (path, name) in [(&segment, "segment"), (&world.path(""), "membership")] {
        let settings = |on: bool| json!({ "settings": { "refuse_payment_cards": on } });
        assert_eq!(world.send("PATCH", path, settings(true)).await.status, 200, "{name}");
        for reply in tries(visa).await {
            assert_eq!(reply.status, 400, "{name} {reply:?}");
            assert!(reply.text.contains("card_number"), "{name} {reply:?}");
        }
        for loyalty in ["100200300", "4111111111111112"] {
            assert!(tries(loyalty).await.iter().all(|reply| reply.status.is_success()), "{name} {loyalty}");
        }
        assert_eq!(world.send("PATCH", path, settings(false)).await.status, 200, "{name}");
    }
    let reply = world.send("PATCH", &segment, json!({ "settings": { "refuse_payment_cards": "yes" } })).await;
    assert_eq!(refused(&reply), (400, "/settings/refuse_payment_cards".to_owned(), "invalid_type".to_owned()));
}
