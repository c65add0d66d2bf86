//! Object-created notifications.

use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::event::s3::S3Event;
use aws_sdk_s3::primitives::ByteStream;
use local_s3::LocalS3;
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

use crate::support::{BUCKET, System, code, open};

fn listen(s3: &LocalS3) -> UnboundedReceiver<Value> {
    let (sender, receiver) = unbounded_channel();
    s3.on_created(Arc::new(move |event| {
        sender.send(event).expect("the test listens");
        Box::pin(async {})
    }));
    receiver
}

async fn next(events: &mut UnboundedReceiver<Value>) -> Value {
    timeout(Duration::from_secs(5), events.recv()).await.expect("in time").expect("an event")
}

#[tokio::test]
async fn a_put_and_a_copy_are_told_as_s3_tells_them() {
    let system = System::start().await;
    let mut events = listen(&system.s3);
    system.put("a b/ü", "hello").await;
    let first = next(&mut events).await;
    let record = &first["Records"][0];
    assert_eq!(record["eventName"], "ObjectCreated:Put");
    assert_eq!(record["eventSource"], "aws:s3");
    assert_eq!(record["awsRegion"], "us-east-1");
    assert_eq!(record["s3"]["bucket"]["name"], BUCKET);
    assert_eq!(record["s3"]["object"]["key"], "a+b/%C3%BC");
    assert_eq!(record["s3"]["object"]["size"], 5);
    assert_eq!(record["s3"]["object"]["eTag"], "5d41402abc4b2a76b9719d911017c592");
    // By the type that a Lambda function reads.
    let typed: S3Event = serde_json::from_value(first.clone()).unwrap();
    assert_eq!(typed.records[0].s3.object.size, Some(5));

    let copy = system.client().copy_object().bucket(BUCKET).key("c").copy_source("files/a%20b/%C3%BC");
    copy.send().await.unwrap();
    let second = next(&mut events).await;
    assert_eq!(second["Records"][0]["eventName"], "ObjectCreated:Copy");
    let sequencer = |event: &Value| event["Records"][0]["s3"]["object"]["sequencer"].as_str().unwrap().to_owned();
    assert!(sequencer(&first) < sequencer(&second));
}

#[tokio::test]
async fn a_refused_upload_is_not_told() {
    let system = System::start().await;
    let mut events = listen(&system.s3);
    let request = system.client().put_object().bucket(BUCKET).key("a").content_md5("1B2M2Y8AsgTpgAmY7PhCfg==");
    assert_eq!(code(request.body(ByteStream::from_static(b"later")).send().await), "BadDigest");
    system.put("b", "").await;
    assert_eq!(next(&mut events).await["Records"][0]["s3"]["object"]["key"], "b");
}

#[tokio::test]
async fn a_slow_listener_does_not_keep_the_writer_waiting() {
    let system = System::start().await;
    system.s3.on_created(Arc::new(|_| Box::pin(std::future::pending())));
    timeout(Duration::from_secs(5), system.put("a", "hello")).await.expect("in time");
}

#[tokio::test]
async fn an_event_that_a_crash_cut_off_is_told_again() {
    let folder = tempfile::tempdir().unwrap();
    let system = System::start_with(open(Some(folder.path()))).await;
    let (started, mut starts) = unbounded_channel();
    system.s3.on_created(Arc::new(move |_| {
        started.send(()).unwrap();
        Box::pin(async { panic!("the process dies here") })
    }));
    system.put("a", "hello").await;
    starts.recv().await.unwrap();
    system.stop().await;

    let s3 = reopened(folder.path()).await;
    let mut events = listen(&s3);
    let system = System::start_with(s3).await;
    assert_eq!(next(&mut events).await["Records"][0]["s3"]["object"]["key"], "a");
    system.put("b", "").await;
    assert_eq!(next(&mut events).await["Records"][0]["s3"]["object"]["key"], "b");
}

/// The tasks of the stopped server end a moment after it.
async fn reopened(folder: &std::path::Path) -> LocalS3 {
    for _ in 0..100 {
        if let Ok(s3) = LocalS3::open(crate::support::options(Some(folder))) {
            return s3;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("still in use");
}
