//! An upload has one purpose and one holder: nobody uses another's file, and nobody's erasing deletes it.

use std::time::Duration;

use local::Options;
use serde_json::{Value, json};

use super::samples::{JPEG, PDF, PNG};
use super::sent::{content, upload};
use crate::system::{Ana, Muster};
use crate::world::{World, id, refused};

const ROWS: &[u8] = b"email\nana@example.com\n";

/// A world whose jobs are done when the test says so.
async fn still() -> World {
    let still = Duration::from_secs(3600);
    let muster = Muster::with(Options { reconcile_every: still, ..Options::default() }).await;
    World::on(muster, json!({ "name": "Club", "self_enrolment": true })).await
}

/// A member of the world with a file as its answer: the file.
async fn answered(world: &World) -> String {
    world.field("certificate", "file", json!({ "content_types": ["application/pdf", "image/png"] })).await;
    let member = world.member(json!({ "name": "Ana" })).await;
    let of_member = json!({ "member_id": member.rsplit('/').next(), "content_type": "image/png" });
    let file = world.upload(of_member, PNG).await;
    let reply = world.send("PUT", &format!("{member}/answers"), json!({ "certificate": file })).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    file
}

/// A segment of somebody else: its owner, its id, and a user of it who has signed in.
async fn strangers(muster: &Muster) -> (Ana, String, Ana) {
    let eve = muster.ana().await;
    let segment = id(&muster.made(&eve, "/v1/segments", json!({ "name": "Hers" })).await);
    let user = muster.segment_user(&eve, &segment).await;
    (eve, segment, user)
}

#[tokio::test(flavor = "multi_thread")]
async fn photo_is_an_image_for_its_user_whatever_writes_it() {
    let world = still().await;
    let (eve, segment, user) = strangers(&world.muster).await;
    let muster = &world.muster;
    let other = muster.segment_user(&eve, &segment).await;
    let by = (muster, &eve);
    let of = |purpose: &str, content_type: &str| json!({ "segment_id": segment, "purpose": purpose, "content_type": content_type });
    let mut for_other = of("photo", "image/png");
    for_other["user_id"] = json!(other.id);
    let pending = json!({ "filename": "a.png", "size": 5 });
    let pending = [of("photo", "image/png"), pending].into_iter().fold(json!({}), merged);
    let files = [
        ("answer of a member elsewhere", answered(&world).await),
        ("undeclared image elsewhere", world.upload(json!({ "content_type": "image/png" }), PNG).await),
        ("photo elsewhere", world.upload(json!({ "purpose": "photo", "content_type": "image/png" }), PNG).await),
        ("import", upload(by, of("import", "text/csv"), ROWS).await),
        ("undeclared rows", upload(by, json!({ "segment_id": segment, "content_type": "text/csv" }), ROWS).await),
        ("answer", upload(by, of("answer", "image/jpeg"), JPEG).await),
        ("document", upload(by, of("answer", "application/pdf"), PDF).await),
        ("photo of another user", upload(by, for_other, PNG).await),
        ("pending", id(&muster.made(&eve, "/v1/uploads", pending).await)),
        ("unknown", domain::UploadId::fresh().to_string()),
    ];
    let users = format!("/v1/segments/{segment}/users");
    let path = format!("/v1/users/{}", user.id);
    for (what, file) in &files {
        let photo = json!({ "photo_upload_id": file });
        let new = json!({ "email": format!("{}@example.com", domain::UserId::fresh()), "photo_upload_id": file });
        let expected = (400, "/photo_upload_id".to_owned(), "unknown".to_owned());
        for (method, path, body, by) in [
            ("PATCH", path.as_str(), photo.clone(), &eve),
            ("PATCH", "/v1/users/me", photo.clone(), &user),
            ("POST", users.as_str(), new.clone(), &eve),
        ] {
            let reply = muster.call(method, path).json(body).by(by).send().await;
            assert_eq!(refused(&reply), expected, "{what}: {method} {path} {reply:?}");
        }
        let batch = muster.post(&format!("{users}/batch"), json!({ "users": [new] })).by(&eve).send().await;
        assert_eq!(batch.body["results"][0]["status"], 400, "{what}: {batch:?}");
        // A master user has no photo at all.
        let own = muster.patch("/v1/users/me", photo).by(&eve).send().await;
        assert_eq!(refused(&own).2, "not_applicable", "{what}");
    }
}

fn merged(mut all: Value, more: Value) -> Value {
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn user_uploads_its_own_photo_which_is_erased_with_it() {
    let world = still().await;
    let (eva, other) = (world.segment_user().await, world.segment_user().await);
    let muster = &world.muster;
    let photo = json!({ "segment_id": world.segment, "purpose": "photo", "content_type": "image/png" });
    let file = upload((muster, &eva), photo.clone(), PNG).await;
    let read = muster.get(&format!("/v1/uploads/{file}")).by(&eva).send().await;
    assert_eq!((&read.body["user_id"], &read.body["purpose"]), (&json!(eva.id), &json!("photo")), "{read:?}");
    let patch = json!({ "photo_upload_id": file });
    assert_eq!(muster.patch("/v1/users/me", patch.clone()).by(&eva).send().await.status, 200);
    assert_eq!(content((muster, &eva), &file).await, Ok(PNG.to_vec()));
    assert_eq!(content((muster, &world.ana), &file).await, Ok(PNG.to_vec()));
    assert_eq!(content((muster, &other), &file).await, Err(404));
    assert_eq!(muster.patch("/v1/users/me", patch).by(&other).send().await.status, 400);
    assert_eq!(muster.delete(&format!("/v1/uploads/{file}")).by(&other).send().await.status, 404);
    // One that it never used is erased too.
    let unused = upload((muster, &eva), photo, PNG).await;
    let purged = world.call("DELETE", &format!("/v1/users/{}?purge=true", eva.id)).send().await;
    assert_eq!(purged.status, 204, "{purged:?}");
    muster.work().await;
    for file in [file, unused] {
        assert_eq!(content((muster, &world.ana), &file).await, Err(404));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_uploads_a_photo_for_others() {
    let world = still().await;
    let (eve, segment, user) = strangers(&world.muster).await;
    let eva = world.segment_user().await;
    let body = |segment: &str, more: Value| {
        let usual = json!({ "segment_id": segment, "filename": "a.png", "content_type": "image/png", "size": 5 });
        merged(usual, more)
    };
    let begin = async |by: &Ana, body: Value| refused(&world.muster.post("/v1/uploads", body).by(by).send().await);
    let unknown = (400, "/user_id".to_owned(), "unknown".to_owned());
    for user_id in [&eva.id, &eve.id, &domain::UserId::fresh().to_string()] {
        let photo = json!({ "purpose": "photo", "user_id": user_id });
        assert_eq!(begin(&user, body(&segment, photo.clone())).await, unknown);
        assert_eq!(begin(&eve, body(&segment, photo.clone())).await, unknown);
        assert_eq!(begin(&user, body(&world.segment, photo)).await.0, 404);
    }
    assert_eq!(begin(&user, body(&segment, json!({}))).await.0, 404, "a user uploads nothing but photos and answers");
    for (more, at, code) in [
        (json!({ "purpose": "photo", "content_type": "application/pdf" }), "/content_type", "invalid_choice"),
        (json!({ "purpose": "import" }), "/content_type", "invalid_choice"),
        (json!({ "purpose": "answer", "content_type": "text/csv" }), "/content_type", "invalid_choice"),
        (json!({ "purpose": "answer", "user_id": user.id }), "/user_id", "not_applicable"),
        (json!({ "purpose": "avatar" }), "/purpose", "invalid_choice"),
    ] {
        assert_eq!(begin(&eve, body(&segment, more.clone())).await, (400, at.to_owned(), code.to_owned()), "{more}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn erasing_a_user_deletes_no_file_of_others_even_where_its_row_is_wrong() {
    let world = still().await;
    let muster = &world.muster;
    let (eve, segment, user) = strangers(muster).await;
    let secret = answered(&world).await;
    let team = json!({ "segment_id": segment, "content_type": "image/png" });
    let team = upload((muster, &eve), team, PNG).await;
    let declared = json!({ "segment_id": segment, "purpose": "photo", "content_type": "image/png" });
    let declared = upload((muster, &eve), declared, PNG).await;
    for (stranger, file, owner) in
        [(&user, &secret, &world.ana), (&user, &team, &eve), (&user, &declared, &eve), (&eve, &secret, &world.ana)]
    {
        muster.set_attribute((&format!("U#{}", stranger.id), "U"), "photo_upload_id", file).await;
        assert_eq!(content((muster, owner), file).await, Ok(PNG.to_vec()));
        if file != &declared {
            assert_eq!(content((muster, stranger), file).await, Err(404));
        }
    }
    // A photo that the segment offers to all its users is nobody's own.
    let patch = json!({ "photo_upload_id": declared });
    assert_eq!(muster.patch("/v1/users/me", patch).by(&user).send().await.status, 200);
    let purged = muster.delete(&format!("/v1/users/{}?purge=true", user.id)).by(&eve).send().await;
    assert_eq!(purged.status, 204, "{purged:?}");
    muster.work().await;
    for file in [&team, &declared] {
        assert_eq!(content((muster, &eve), file).await, Ok(PNG.to_vec()));
    }
    assert_eq!(muster.delete("/v1/users/me?purge=true").by(&eve).send().await.status, 204);
    muster.work().await;
    assert_eq!(content((muster, &world.ana), &secret).await, Ok(PNG.to_vec()));
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_and_imports_take_only_their_own_purpose() {
    let world = still().await;
    world.field("certificate", "file", json!({ "content_types": ["application/pdf", "image/png"] })).await;
    let eva = world.segment_user().await;
    let member = world.member(json!({ "user_id": eva.id })).await;
    let other = world.member(json!({ "name": "Other" })).await;
    let of_other = json!({ "member_id": other.rsplit('/').next(), "content_type": "image/png" });
    let photo = json!({ "segment_id": world.segment, "purpose": "photo", "content_type": "image/png" });
    let files = [
        world.upload(of_other, PNG).await,
        world.upload(json!({ "purpose": "photo", "content_type": "image/png" }), PNG).await,
        upload((&world.muster, &eva), photo, PNG).await,
        world.upload(json!({ "purpose": "import", "content_type": "text/csv" }), ROWS).await,
    ];
    let answers = format!("{member}/answers");
    let imports = format!("/v1/segments/{}/imports", world.segment);
    for file in &files {
        for by in [&world.ana, &eva] {
            let reply = world.muster.call("PUT", &answers).json(json!({ "certificate": file })).by(by).send().await;
            assert_eq!(refused(&reply), (400, "/certificate".to_owned(), "unknown".to_owned()), "{reply:?}");
        }
    }
    for file in &files[..3] {
        let reply = world.send("POST", &imports, json!({ "upload_id": file, "format": "csv" })).await;
        assert_eq!((reply.status.as_u16(), reply.errors()[0].0.as_str()), (400, "/upload_id"), "{reply:?}");
    }
    // A file of the team for nobody yet becomes the answer of the member that the team answers for.
    let team = world.upload(json!({ "content_type": "image/png" }), PNG).await;
    let own = world.muster.call("PUT", &answers).json(json!({ "certificate": team })).by(&eva).send().await;
    assert_eq!(own.status, 400);
    assert_eq!(world.send("PUT", &answers, json!({ "certificate": team })).await.status, 200);
    let read = world.read(&format!("/v1/uploads/{team}")).await;
    assert_eq!((&read["purpose"], &read["member_id"]), (&json!("answer"), &json!(member.rsplit('/').next())));
    let photo = world.send("PATCH", &format!("/v1/users/{}", eva.id), json!({ "photo_upload_id": team })).await;
    assert_eq!(photo.status, 400, "an answer is no photo");
}
