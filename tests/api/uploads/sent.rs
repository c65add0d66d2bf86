//! Uploads that are sent and accepted, as other tests need them.

use std::time::Duration;

use serde_json::{Value, json};

use super::club::{get, put};
use crate::system::{Ana, Muster};
use crate::world::{World, id};

/// Uploads a file, which must be accepted: its id. `more` has at least the segment and the type.
pub(crate) async fn upload((muster, by): (&Muster, &Ana), more: Value, bytes: &[u8]) -> String {
    let mut body = json!({ "filename": "zzq.bin", "size": bytes.len() });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let begun = muster.made(by, "/v1/uploads", body).await;
    assert_eq!(put(&begun, bytes, &[]).await.status, 200);
    let path = format!("/v1/uploads/{}", id(&begun));
    for _ in 0..300 {
        let checked = muster.get(&path).by(by).send().await;
        if checked.body["status"] != "PENDING" {
            assert_eq!(checked.body["status"], "AVAILABLE", "{checked:?}");
            return id(&begun);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{path} stays pending");
}

/// The bytes of an upload, as this caller fetches them; the status of the refusal otherwise.
pub(crate) async fn content((muster, by): (&Muster, &Ana), upload: &str) -> Result<Vec<u8>, u16> {
    let reply = muster.get(&format!("/v1/uploads/{upload}/content")).by(by).send().await;
    if reply.status != 302 {
        return Err(reply.status.as_u16());
    }
    Ok(get(reply.header("location")).await.bytes)
}

impl World {
    /// Uploads a file of the segment as its owner: its id.
    pub(crate) async fn upload(&self, more: Value, bytes: &[u8]) -> String {
        let mut body = json!({ "segment_id": self.segment });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        upload((&self.muster, &self.ana), body, bytes).await
    }
}
