//! Who reaches an upload.

use domain::{Act, Answers, UploadHolder};
use serde_json::{Value, json};
use store::AlsoOfMember;

use super::club::{Club, get, id, put};
use super::samples::PNG;

/// The statuses of beginning an upload like this one, and of reading, fetching and deleting it.
async fn tried(club: &Club, token: Option<&str>, begin: &Value, upload: &str) -> [u16; 4] {
    let path = format!("/v1/uploads/{upload}");
    let muster = &club.muster;
    let mut statuses = Vec::new();
    for call in [
        muster.post("/v1/uploads", begin.clone()),
        muster.get(&path),
        muster.get(&format!("{path}/content")),
        muster.delete(&path),
    ] {
        let call = if let Some(token) = token { call.token(token) } else { call };
        statuses.push(call.send().await.status.as_u16());
    }
    statuses.try_into().unwrap()
}

/// An upload that is available, begun by the owner like this.
async fn available(club: &Club, more: Value) -> String {
    let mut more = more;
    more["size"] = PNG.len().into();
    let begun = club.begin(more).await;
    assert_eq!(put(&begun.body, PNG, &[]).await.status, 200, "{begun:?}");
    assert_eq!(club.checked(&id(&begun)).await["status"], "AVAILABLE");
    id(&begun)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segments_files_are_for_its_owner_and_its_keys_by_their_scopes() {
    let club = Club::found().await;
    let other = club.other_segment().await;
    let eve = club.muster.ana().await;
    let (own, account) = (Some(club.segment), None);
    let expired = "nonsense".to_owned();
    for (who, token, expected) in [
        ("the owner", Some(club.owner.access.clone()), [201, 200, 302, 204]),
        ("a key of the segment", Some(club.key(own, &["read", "write"]).await), [201, 200, 302, 204]),
        ("a key of the account", Some(club.key(account, &["read", "write"]).await), [201, 200, 302, 204]),
        ("a key to read", Some(club.key(own, &["read"]).await), [403, 200, 302, 403]),
        ("a key to write", Some(club.key(own, &["write"]).await), [201, 403, 403, 204]),
        ("a key for the rest", Some(club.key(account, &["admin"]).await), [403, 403, 403, 403]),
        ("another segment's key", Some(club.key(Some(other), &["read", "write", "admin"]).await), [404; 4]),
        ("another master user", Some(eve.access), [404; 4]),
        ("a member's user", Some(club.user.access.clone()), [404; 4]),
        ("nobody", None, [401; 4]),
        ("whoever", Some(expired), [401; 4]),
    ] {
        let upload = available(&club, json!({})).await;
        let begin = club.body(json!({}));
        assert_eq!(tried(&club, token.as_deref(), &begin, &upload).await, expected, "{who}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_members_files_are_for_the_member_itself_too() {
    let club = Club::found().await;
    let eve = club.muster.ana().await;
    let other = club.other_member(&eve).await;
    let key = club.key(Some(club.segment), &["read", "write"]).await;
    let foreign = club.key(Some(club.other_segment().await), &["read", "write"]).await;
    for (who, token, expected) in [
        ("the member", Some(&club.user.access), [201, 200, 302, 204]),
        ("the owner", Some(&club.owner.access), [201, 200, 302, 204]),
        ("a key of the segment", Some(&key), [201, 200, 302, 204]),
        ("another member", Some(&eve.access), [404; 4]),
        ("another segment's key", Some(&foreign), [404; 4]),
        ("nobody", None, [401; 4]),
    ] {
        let upload = available(&club, json!({ "member_id": club.member.id })).await;
        let begin = club.body(json!({ "member_id": club.member.id }));
        assert_eq!(tried(&club, token.map(String::as_str), &begin, &upload).await, expected, "{who}");
    }
    let others = available(&club, json!({ "member_id": other.id })).await;
    let begin = club.body(json!({ "member_id": other.id }));
    assert_eq!(tried(&club, Some(&club.user.access), &begin, &others).await, [404; 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_looks_like_what_is_somebody_elses() {
    let club = Club::found().await;
    let nowhere = "0199d2a4-5c00-7000-8000-00000000dead";
    for more in [json!({ "segment_id": nowhere }), json!({ "member_id": nowhere })] {
        let refused = tried(&club, Some(&club.owner.access), &club.body(more), nowhere).await;
        assert_eq!(refused, [404; 4]);
    }
    for path in ["/v1/uploads/not-an-id", "/v1/uploads/..%2F..", "/v1/uploads/me"] {
        assert_eq!(club.muster.get(path).by(&club.owner).send().await.status, 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_place_of_a_file_is_good_for_that_file_alone() {
    let club = Club::found().await;
    let (one, other) = (available(&club, json!({})).await, available(&club, json!({})).await);
    let content = club.muster.get(&format!("/v1/uploads/{one}/content")).by(&club.owner).send().await;
    let url = content.header("location");
    assert!(url.contains("X-Amz-Expires=60"), "{url}");
    assert_eq!(get(url).await.status, 200);
    for forged in [
        url.replace(&one, &other),
        url.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"),
        url.replace("attachment", "inline"),
    ] {
        assert_ne!(forged, url);
        assert_eq!(get(&forged).await.status, 403, "{forged}");
    }
    assert_eq!(get(url.split('?').next().unwrap()).await.status, 403, "nothing is public");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_keeps_the_files_that_are_its_answers() {
    let club = Club::found().await;
    let upload = available(&club, json!({})).await;
    let store = &club.muster.functions.app.store;
    let path = format!("/v1/uploads/{upload}");
    assert_eq!(club.muster.get(&path).by(&club.user).send().await.status, 404, "it is no member's yet");
    answer(&club, json!({ "tax_certificate": upload }), &upload).await;
    let read = club.muster.get(&path).by(&club.user).send().await;
    assert_eq!((read.status.as_u16(), &read.body["member_id"]), (200, &json!(club.member.id)));
    let kept = club.muster.delete(&path).by(&club.user).send().await;
    assert_eq!((kept.status.as_u16(), kept.errors()), (409, vec![(String::new(), "in_use".to_owned())]));
    answer(&club, json!({}), &upload).await;
    assert_eq!(club.muster.get(&path).by(&club.user).send().await.status, 404, "a file goes with its answer");
    assert_eq!(store.uploads_of(UploadHolder::Member(club.member.id)).await.unwrap(), []);
}

/// Makes these the member's answers, among them the upload if it is named.
async fn answer(club: &Club, answers: Value, upload: &str) {
    let store = &club.muster.functions.app.store;
    let old = store.member(club.member.id).await.unwrap();
    let configuration = store.configuration(old.member.membership_id).await.unwrap();
    let named = answers.to_string().contains(upload);
    let file = [store.upload(upload.parse().unwrap()).await.unwrap()];
    let (files, gone) = file.split_at(usize::from(named));
    let answers: Answers = serde_json::from_value(answers).unwrap();
    let new = domain::Member { answers, ..old.member.next(domain::Time::now()) };
    let also = AlsoOfMember { files, gone, ..AlsoOfMember::default() };
    store.change_member(&old, new, &configuration, also, Act::by_itself("test")).await.unwrap();
}
