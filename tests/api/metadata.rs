//! What clients keep for themselves of addresses, levels and members; and fields that take an address or a file.

use serde_json::{Value, json};

use crate::uploads::club::{Club, put};
use crate::uploads::samples::PDF;
use crate::world::{World, id};

#[tokio::test(flavor = "multi_thread")]
async fn addresses_levels_and_members_keep_what_clients_put_there() {
    let world = World::open().await;
    let level = json!({ "name": "L", "number": 1, "from_point": 0, "to_point": 9, "metadata": { "a": 1.50 } });
    let level = id(&world.made("/levels", level).await);
    let member = id(&world.made("/members", json!({ "name": "M", "metadata": { "a": { "b": [1] } } })).await);
    let address = world.muster.made(&world.ana, "/v1/users/me/addresses", json!({ "metadata": { "a": "x" } })).await;
    let address = format!("/v1/users/me/addresses/{}", id(&address));
    for path in [world.path(&format!("/levels/{level}")), format!("/v1/members/{member}"), address] {
        let before = world.read(&path).await["metadata"].clone();
        assert!(before["a"].is_number() || before["a"].is_object() || before["a"] == "x", "{path}: {before}");
        let after = world.send("PATCH", &path, json!({ "metadata": { "c": 2 } })).await;
        assert_eq!((&after.body["metadata"]["a"], &after.body["metadata"]["c"]), (&before["a"], &json!(2)), "{path}");
        let cleared = world.send("PATCH", &path, json!({ "metadata": null })).await;
        assert_eq!(cleared.body["metadata"], Value::Null, "{path}");
        let wrong = world.send("PATCH", &path, json!({ "metadata": [] })).await;
        assert_eq!(wrong.errors(), [("/metadata".to_owned(), "invalid_type".to_owned())], "{path}");
    }
    let other = world.muster.ana().await;
    let joined = world.muster.made(&other, &world.path("/members"), json!({ "metadata": { "mine": true } })).await;
    assert_eq!(joined["metadata"], json!({ "mine": true }), "who enrols itself writes it too");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_an_address_or_a_file_that_goes_with_the_answer() {
    let club = Club::found().await;
    let fields = format!("/v1/memberships/{}/fields", club.member.membership_id);
    let field = json!({ "key": "proof", "name": "Proof", "type": "link", "content_types": ["application/pdf"] });
    club.muster.made(&club.owner, &fields, field).await;
    let member = json!({
        "member_id": club.member.id, "field": "proof", "filename": "a.pdf", "content_type": "application/pdf",
        "size": PDF.len(),
    });
    let begun = club.begin(member).await;
    assert_eq!(begun.status, 201, "{begun:?}");
    let upload = crate::uploads::club::id(&begun);
    let answers = format!("/v1/members/{}/answers", club.member.id);
    let answer =
        |answer: Value| club.muster.call("PUT", &answers).json(json!({ "proof": answer })).by(&club.user).send();
    let early = answer(json!(upload)).await;
    assert_eq!(early.errors(), [("/proof".to_owned(), "not_available".to_owned())], "it has not arrived");
    assert_eq!(put(&begun.body, PDF, &[]).await.status, 200);
    assert_eq!(club.checked(&upload).await["status"], "AVAILABLE");
    assert_eq!(answer(json!(upload)).await.body, json!({ "proof": upload }));
    let held = club.muster.delete(&format!("/v1/uploads/{upload}")).by(&club.user).send().await;
    assert_eq!(held.status, 409, "it is an answer");
    assert_eq!(answer(json!("https://example.com/a")).await.body, json!({ "proof": "https://example.com/a" }));
    let gone = club.muster.get(&format!("/v1/uploads/{upload}")).by(&club.owner).send().await;
    assert_eq!(gone.status, 404, "the file has gone with the answer");
    for (wrong, code) in [(json!(club.member.id), "unknown"), (json!("a.pdf"), "invalid_url")] {
        assert_eq!(answer(wrong).await.errors(), [("/proof".to_owned(), code.to_owned())]);
    }
}
