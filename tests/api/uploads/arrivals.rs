//! What happens to a file when it has arrived, and when that is cut off, repeated or overtaken.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::types::{Tag, Tagging};
use domain::Time;
use files::ObjectKey;
use local::Options;
use serde_json::{Value, json};

use super::club::{Club, id, put};
use super::created;
use super::cut::Cut;
use super::samples::{PAGE, PNG, sha256};
use crate::faults::Phase;
use crate::system::Muster;

/// A club whose system leaves what has arrived to the test: it waits for a scan that nobody makes. Jobs too.
async fn untouched() -> Club {
    let options = Options { malware_scan: true, reconcile_every: Duration::from_secs(3600), ..Options::default() };
    Club::with(Muster::with(options).await).await
}

/// Every point at which a run can be cut off, as long as there is one more call to cut off at.
fn points() -> impl Iterator<Item = (usize, Phase)> {
    (0..40).flat_map(|nth| [(nth, Phase::Before), (nth, Phase::After)])
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

    /// A day later S3 deletes what is in quarantine.
    async fn a_day_passes(&self, id: &str) {
        self.muster.functions.files.delete(&ObjectKey::quarantine(id.parse().unwrap())).await.unwrap();
    }

    /// A day more, and DynamoDB deletes an upload that is not there for good, sooner or later; jobs are due.
    async fn another_day_passes(&self, id: &str, vanishes: bool) {
        let row = self.muster.item(&format!("F#{id}"), "F").await;
        if vanishes && row.contains_key("expires_at") {
            for (pk, sk) in [(format!("F#{id}"), "F".to_owned()), (format!("S#{}", self.segment), format!("F#{id}"))] {
                let delete = self.muster.dynamodb().delete_item().table_name(&self.muster.wiring.table);
                let delete = delete.key("PK", AttributeValue::S(pk)).key("SK", AttributeValue::S(sk));
                delete.send().await.unwrap();
            }
        }
        self.muster.age("pending_at", AttributeValue::S(Time::from_millis(0).to_string())).await;
        // One that deletes the upload begins another one, for its file; and one may be with whoever was faster. An emulator that
        // serves other tests beside this one is slow: a minute at most.
        for _ in 0..600 {
            let (functions, end) =
                (self.muster.functions.acting_as("Reconcile"), Time::now().plus(Duration::from_secs(10)));
            reconcile::jobs::run((&functions.app.store, &functions.identity, &functions.files), end).await.unwrap();
            if self.muster.items("J#").await.is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
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
        for point in points() {
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
async fn an_arrival_cut_off_anywhere_that_never_comes_again_leaves_nothing_but_what_was_accepted() {
    let club = untouched().await;
    for vanishes in [true, false] {
        let mut forgotten = 0;
        for point in points() {
            let id = club.send("image/png", PNG).await;
            let whole = Cut::at(point).arrivals(&club.muster).handle(event(&id)).await.is_ok();
            let accepted = club.status(&id).await == "AVAILABLE";
            forgotten += usize::from(club.objects(&id).await.1 && !accepted);
            assert!(!club.muster.items("J#").await.is_empty() || accepted || !club.objects(&id).await.1, "{point:?}");
            club.a_day_passes(&id).await;
            club.another_day_passes(&id, vanishes).await;
            assert_eq!(club.muster.items("J#").await, Vec::<String>::new(), "{point:?}");
            assert_eq!(club.objects(&id).await, (false, accepted), "{point:?}");
            assert_eq!(club.status(&id).await == "AVAILABLE", accepted, "{point:?}");
            if whole {
                break;
            }
        }
        assert!(forgotten > 0, "never was a file clean whose upload did not know it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_comes_again_after_a_day_completes_what_was_copied() {
    let club = untouched().await;
    let mut completed = 0;
    for point in points() {
        let id = club.send("image/png", PNG).await;
        if Cut::at(point).arrivals(&club.muster).handle(event(&id)).await.is_ok() {
            break;
        }
        let copied = club.objects(&id).await.1;
        club.a_day_passes(&id).await;
        club.arrivals().handle(event(&id)).await.unwrap();
        let status = if copied { "AVAILABLE" } else { "PENDING" };
        assert_eq!((club.status(&id).await, club.objects(&id).await), (json!(status), (false, copied)), "{point:?}");
        completed += usize::from(copied);
    }
    assert!(completed >= 4, "{completed} points");
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
