//! What happens to a file when it has arrived, and when that is cut off, repeated or overtaken.

use aws_sdk_s3::types::{Tag, Tagging};
use files::ObjectKey;
use local::Options;
use serde_json::{Value, json};

use super::club::{Club, id, put};
use super::created;
use super::cut::Cut;
use super::samples::{PAGE, PNG, sha256};
use crate::faults::Phase;
use crate::system::Muster;

/// A club whose system leaves what has arrived to the test: it waits for a scan that nobody makes.
async fn untouched() -> Club {
    Club::with(Muster::with(Options { malware_scan: true, ..Options::default() }).await).await
}

/// S3's event of a file.
fn event(id: &str) -> Value {
    created(&format!("quarantine/{id}"))
}

/// GuardDuty's event of a file.
fn scanned(id: &str) -> Value {
    json!({
        "version": "0", "detail-type": "GuardDuty Malware Protection Object Scan Result", "source": "aws.guardduty",
        "detail": { "scanStatus": "COMPLETED", "s3ObjectDetails": { "objectKey": format!("quarantine/{id}") } }
    })
}

impl Club {
    /// The function as it is when nothing goes wrong.
    fn arrivals(&self) -> arrivals::Arrivals {
        arrivals::Arrivals { scanned: false, ..self.muster.functions.arrivals() }
    }

    async fn status(&self, id: &str) -> Value {
        let upload = self.muster.get(&format!("/v1/uploads/{id}")).by(&self.owner).send().await;
        upload.body["status"].clone()
    }

    async fn clean_bytes(&self, id: &str) -> Vec<u8> {
        let (files, key) = (&self.muster.functions.files, ObjectKey::clean(id.parse().unwrap()));
        let (etag, mut bytes) = (files.head(&key).await.unwrap().etag, Vec::new());
        files.read(&key, &etag, None, |some| bytes.extend_from_slice(some)).await.unwrap();
        bytes
    }
}

/// An image as good as [`PNG`], with other bytes.
fn other_png() -> Vec<u8> {
    let mut other = PNG.to_vec();
    other[40] ^= 1;
    other
}

#[tokio::test(flavor = "multi_thread")]
async fn an_arrival_cut_off_anywhere_is_completed_when_the_event_comes_again() {
    let club = untouched().await;
    for (bytes, status, objects) in [(PNG, "AVAILABLE", (false, true)), (PAGE, "REJECTED", (false, false))] {
        let mut cut = 0;
        for point in (0..40).flat_map(|nth| [(nth, Phase::Before), (nth, Phase::After)]) {
            let id = club.send("image/png", bytes).await;
            if Cut::at(point).arrivals(&club.muster).handle(event(&id)).await.is_ok() {
                break;
            }
            cut += 1;
            club.arrivals().handle(event(&id)).await.unwrap();
            assert_eq!((club.status(&id).await, club.objects(&id).await), (json!(status), objects), "{point:?}");
            if status == "AVAILABLE" {
                assert_eq!(club.clean_bytes(&id).await, PNG, "{point:?}");
                assert_eq!(club.checked(&id).await["sha256"], sha256(PNG), "{point:?}");
            }
        }
        assert!(cut >= 12, "{status}: {cut} points");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_twice_or_of_nothing_of_ours_changes_nothing() {
    let club = Club::found().await;
    let id = club.send("image/png", PNG).await;
    let before = club.checked(&id).await;
    for id in [id.as_str(), "0199d2a4-5c00-7000-8000-00000000dead", "..", ""] {
        for event in [event(id), scanned(id)] {
            club.arrivals().handle(event).await.unwrap();
        }
    }
    club.arrivals().handle(created(&format!("clean/{id}"))).await.unwrap();
    assert_eq!(club.checked(&id).await, before);
    assert_eq!(club.fetch(&id).await.bytes, PNG);
    assert!(club.arrivals().handle(json!({ "Event": "s3:TestEvent" })).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_copied_first_is_the_file_whatever_arrives_after_it() {
    let club = untouched().await;
    let begun = club.begin(json!({ "size": PNG.len() })).await;
    let (id, files) = (id(&begun), &club.muster.functions.files);
    assert_eq!(put(&begun.body, PNG, &[]).await.status, 200);
    // As far as a run came before it was cut off.
    let (from, to) = (ObjectKey::quarantine(id.parse().unwrap()), ObjectKey::clean(id.parse().unwrap()));
    files.copy(&from, &files.head(&from).await.unwrap().etag, &to).await.unwrap();
    assert_eq!(put(&begun.body, &other_png(), &[]).await.status, 200);
    club.arrivals().handle(event(&id)).await.unwrap();
    assert_eq!((club.status(&id).await, club.objects(&id).await), (json!("AVAILABLE"), (false, true)));
    assert_eq!(club.clean_bytes(&id).await, PNG);
    assert_eq!(club.checked(&id).await["sha256"], sha256(PNG), "the checksum is that of the file");
}

#[tokio::test(flavor = "multi_thread")]
async fn simultaneous_deliveries_agree_on_one_file() {
    let club = untouched().await;
    for _ in 0..5 {
        let begun = club.begin(json!({ "size": PNG.len() })).await;
        let id = id(&begun);
        assert_eq!(put(&begun.body, PNG, &[]).await.status, 200);
        let run = || {
            let (arrivals, event) = (club.arrivals(), event(&id));
            tokio::spawn(async move { arrivals.handle(event).await.unwrap() })
        };
        let first = [run(), run(), run()];
        assert_eq!(put(&begun.body, &other_png(), &[]).await.status, 200);
        let second = [run(), run(), run()];
        for run in first.into_iter().chain(second) {
            run.await.unwrap();
        }
        let upload = club.checked(&id).await;
        assert_eq!((&upload["status"], &upload["version"]), (&json!("AVAILABLE"), &json!(2)));
        assert_eq!(upload["sha256"], sha256(&club.clean_bytes(&id).await));
        assert_eq!(club.objects(&id).await, (false, true));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_for_an_upload_that_was_deleted_is_erased() {
    let club = untouched().await;
    for copied in [false, true] {
        let id = club.send("image/png", PNG).await;
        let (files, upload) = (&club.muster.functions.files, id.parse().unwrap());
        if copied {
            let (from, to) = (ObjectKey::quarantine(upload), ObjectKey::clean(upload));
            files.copy(&from, &files.head(&from).await.unwrap().etag, &to).await.unwrap();
        }
        assert_eq!(club.muster.delete(&format!("/v1/uploads/{id}")).by(&club.owner).send().await.status, 204);
        club.arrivals().handle(event(&id)).await.unwrap();
        assert_eq!(club.objects(&id).await, (false, false));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_malware_scan_a_file_waits_for_its_result() {
    let club = untouched().await;
    let arrivals = club.muster.functions.arrivals();
    for (result, status, objects) in [
        ("NO_THREATS_FOUND", "AVAILABLE", (false, true)),
        ("THREATS_FOUND", "REJECTED", (false, false)),
        ("UNSUPPORTED", "REJECTED", (false, false)),
        ("ACCESS_DENIED", "REJECTED", (false, false)),
        ("FAILED", "REJECTED", (false, false)),
    ] {
        let id = club.send("image/png", PNG).await;
        arrivals.handle(event(&id)).await.unwrap();
        assert!(arrivals.handle(scanned(&id)).await.is_err(), "the event is to come again: the tag is not there yet");
        assert_eq!((club.status(&id).await, club.objects(&id).await), (json!("PENDING"), (true, false)));
        let tag = Tag::builder().key("GuardDutyMalwareScanStatus").value(result).build().unwrap();
        let request = club.s3().put_object_tagging().bucket(&club.muster.wiring.bucket).key(format!("quarantine/{id}"));
        request.tagging(Tagging::builder().tag_set(tag).build().unwrap()).send().await.unwrap();
        arrivals.handle(scanned(&id)).await.unwrap();
        assert_eq!((club.status(&id).await, club.objects(&id).await), (json!(status), objects), "{result}");
        let reason = club.checked(&id).await["reason"].clone();
        assert_eq!(reason.as_str().is_some_and(|reason| reason.contains("scan")), status == "REJECTED", "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_is_accepted_too() {
    let club = Club::found().await;
    let large = [PNG, &vec![7; 5 * 1024 * 1024 - PNG.len()]].concat();
    let id = club.send("image/png", &large).await;
    let upload = club.checked(&id).await;
    assert_eq!((&upload["status"], &upload["sha256"]), (&json!("AVAILABLE"), &json!(sha256(&large))));
    assert_eq!(club.fetch(&id).await.bytes, large);
}
