//! A purged user of a segment leaves no trace: not in the table, not in the bucket, not in Cognito.

use serde_json::{Value, json};

use crate::crashes::still;
use crate::recount::{agrees, text};
use crate::system::{Ana, PASSWORD};
use crate::uploads::samples::{PDF, PNG};
use crate::world::{World, id};

/// What each text of the user holds, and what else is its alone.
const TRACES: [&str; 5] = ["zzqxkw", "5599887766", "20998877", "20-99887", "1931-07-13"];

/// A user of whom everything is known.
fn everything() -> Value {
    json!({
        "email": "Zzqxkw.Eva@example.com", "username": "zzqxkweva", "reference_id": "zzqxkw-1", "password": "zzqxkw correct horse",
        "name": "Zzqxkwname", "last_name": "Zzqxkwlást", "second_last_name": "ZZQXKWSECOND", "phone": "+525599887766",
        "gender": "OTHER", "birthdate": "1931-07-13", "nationality": "MDG", "operation_country": "ARG",
        "language": "zz-zzqxkwl", "identification": { "type": "DNI", "value": "20.998.877" },
        "tax_identification": { "type": "CUIL", "value": "20-20998877-5" }, "tax_condition": "ZZQXKWTAX",
        "legal_address": { "street_name": "Zzqxkwstreet", "region": "Salta" },
        "country": { "code": "ZZQXKWC", "name": "Zzqxkwcountry" }, "state": { "code": "ZZQXKWS", "name": "Zzqxkwstate" },
        "city": { "code": "ZZQXKWT", "name": "Zzqxkwcity" }, "valid_until": "2031-07-13T10:00:00Z",
        "metadata": { "zzqxkwkey": ["zzqxkwvalue"] },
    })
}

/// Lives: a photo, a membership with answers and a file, a login, an address, one that is deleted, and changes of all sorts.
async fn lives(world: &World) -> (String, String) {
    let users = format!("/v1/segments/{}/users", world.segment);
    let user = id(&world.muster.made(&world.ana, &users, everything()).await);
    let path = format!("/v1/users/{user}");
    let photo = world.upload(json!({ "content_type": "image/png" }), PNG).await;
    let patch = json!({ "photo_upload_id": photo, "email": "zzqxkw.later@example.com", "name": "Zzqxkwlater" });
    assert_eq!(world.send("PATCH", &path, patch).await.status, 200);
    let member = joins(world, &user).await;
    logs_in(world, "zzqxkw.later@example.com").await;
    let address = world.muster.made(&world.ana, &format!("{path}/addresses"), json!({ "alias": "Zzqxkwgone" })).await;
    assert_eq!(world.call("DELETE", &format!("{path}/addresses/{}", id(&address))).send().await.status, 204);
    let block = json!({ "status": "BLOCKED", "status_reason": "ZZQXKWREASON" });
    assert_eq!(world.send("PATCH", &path, block).await.status, 200);
    (user, member)
}

/// Becomes a member with answers, a file and points: the member's id.
async fn joins(world: &World, user: &str) -> String {
    world.field("city", "string", json!({ "searchable": true, "unique": true })).await;
    world.field("certificate", "file", json!({ "content_types": ["application/pdf"], "max_size": 1000 })).await;
    let member =
        world.member(json!({ "user_id": user, "name": "Zzqxkwmember", "answers": { "city": "Zzqxkwanswer" } })).await;
    let member_id = member.rsplit('/').next().unwrap().to_owned();
    let of_member = json!({ "member_id": member_id, "field": "certificate", "content_type": "application/pdf" });
    let file = world.upload(of_member, PDF).await;
    assert_eq!(world.send("PUT", &format!("{member}/answers"), json!({ "certificate": file })).await.status, 200);
    world.award(&member, 7).await;
    member_id
}

/// Has a session, an address and another password.
async fn logs_in(world: &World, email: &str) {
    let login = json!({ "email": email, "password": "zzqxkw correct horse", "segment_id": world.segment });
    let tokens = world.muster.call("POST", "/v1/auth/login").json(login).send().await;
    assert_eq!(tokens.status, 200, "{tokens:?}");
    let eva = Ana::of(email.to_owned(), &tokens);
    world.muster.address(&eva, "Zzqxkwhome").await;
    let change = json!({ "old_password": "zzqxkw correct horse", "new_password": PASSWORD });
    let path_of_own = "/v1/users/me/password";
    assert_eq!(world.muster.post(path_of_own, change).by(&eva).send().await.status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purged_user_leaves_no_trace() {
    for deleted_first in [false, true] {
        let world = World::on(still().await, json!({ "name": "Club" })).await;
        let (user, member) = lives(&world).await;
        let table = format!("{:?}", world.muster.all_items().await).to_lowercase();
        assert!(TRACES.iter().filter(|trace| table.contains(*trace)).count() > 3, "the traces are looked for rightly");
        let path = format!("/v1/users/{user}");
        if deleted_first {
            assert_eq!(world.call("DELETE", &path).send().await.status, 204);
        }
        assert_eq!(world.call("DELETE", &format!("{path}?purge=true")).send().await.status, 204);
        world.muster.work().await;

        let items = world.muster.all_items().await;
        for item in &items {
            let told = format!("{item:?}").to_lowercase();
            let traces: Vec<_> = TRACES.iter().filter(|trace| told.contains(*trace)).collect();
            assert!(traces.is_empty(), "{traces:?} in {item:?}");
            let of_segment = |prefix: &str| text(item, "PK") == format!("{prefix}#{}", world.segment);
            let (is_change, is_event) = (of_segment("G"), of_segment("Y"));
            // The audit keeps ids until it expires.
            let is_audit = of_segment("AS") || text(item, "PK") == format!("AU#{}", world.ana.id);
            assert!(is_change || is_event || is_audit || !told.contains(&user), "{item:?}");
            assert!(is_event || !told.contains(&member), "{item:?}");
        }
        let wiring = &world.muster.wiring;
        let s3 = aws_sdk_s3::config::Builder::from(&wiring.config()).endpoint_url(&wiring.endpoints.s3).build();
        let listed = aws_sdk_s3::Client::from_conf(s3).list_objects_v2().bucket(&wiring.bucket).send().await.unwrap();
        assert!(listed.contents().is_empty(), "{:?}", listed.contents());
        assert_eq!(world.muster.identities().await, [world.ana.id.as_str()]);
        assert_eq!(world.get(&path).await.status, 404);
        let changes = world.read(&format!("/v1/segments/{}/users/changes", world.segment)).await;
        assert_eq!((&changes["data"][0]["id"], &changes["data"][0]["user"]), (&json!(user), &Value::Null));
        agrees(&world).await;
    }
}
