//! S3's event notification message, <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>.

use serde_json::{Value, json};

use crate::operations::time;
use crate::store::{Cause, Created};

/// As a function that is subscribed to the bucket receives it.
pub(crate) fn notification(region: &str, created: &Created) -> Value {
    let name = match created.cause {
        Cause::Put => "ObjectCreated:Put",
        Cause::Copy => "ObjectCreated:Copy",
    };
    let sequencer = format!("{:018X}", created.sequence);
    json!({ "Records": [{
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": region,
        "eventTime": time(created.at),
        "eventName": name,
        "userIdentity": { "principalId": "AWS:LOCAL" },
        "requestParameters": { "sourceIPAddress": "127.0.0.1" },
        "responseElements": { "x-amz-request-id": sequencer, "x-amz-id-2": sequencer },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "local",
            "bucket": {
                "name": created.bucket,
                "ownerIdentity": { "principalId": "LOCAL" },
                "arn": format!("arn:aws:s3:::{}", created.bucket),
            },
            "object": {
                "key": encoded(&created.key),
                "size": created.size,
                "eTag": created.md5,
                "sequencer": sequencer,
            },
        },
    }]})
}

/// As S3 writes keys in events and in lists of `encoding-type=url`: like a form's value, but slashes stay.
pub(crate) fn encoded(key: &str) -> String {
    let part = |part: &str| form_urlencoded::byte_serialize(part.as_bytes()).collect::<String>();
    key.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn keys_are_encoded_as_s3_does() {
        assert_eq!(encoded("a b/ü&+.txt"), "a+b/%C3%BC%26%2B.txt");
    }
}
