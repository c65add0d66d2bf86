//! The actions, resources and condition keys of a request to AWS, read from what goes over the wire.

use std::collections::BTreeMap;

use aws_smithy_runtime_api::http::Request;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::find_member;

/// An action on a resource, which needs a permission.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Access {
    /// `service:Action`.
    pub(super) action: String,
    /// The resource's ARN.
    pub(super) resource: String,
    /// Values by condition key.
    pub(super) context: BTreeMap<&'static str, Vec<String>>,
}

/// The resources of this machine, which the template names otherwise.
#[derive(Debug, Clone)]
pub(super) struct Names {
    pub(super) table: String,
    pub(super) bucket: String,
    pub(super) pool_id: String,
}

impl Access {
    fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self { action: action.into(), resource: resource.into(), context: BTreeMap::new() }
    }

    fn with(mut self, key: &'static str, values: Vec<String>) -> Self {
        self.context.insert(key, values);
        self
    }
}

/// Lists what a signed request needs. One of a service that is unknown here needs an action that nothing grants.
pub(super) fn read_accesses(names: &Names, service: &str, operation: &str, request: &Request) -> Vec<Access> {
    let body = || -> Value {
        let bytes = request.body().bytes().unwrap_or_default();
        serde_json::from_slice(bytes).unwrap_or_default()
    };
    match service {
        "DynamoDB" => of_dynamodb(names, operation, &body()),
        "S3" => of_s3(names, operation, request),
        "Cognito Identity Provider" => {
            let pool =
                if find_member(&body(), "UserPoolId") == names.pool_id.as_str() { "UserPool" } else { "another" };
            let resource = format!("arn:aws:cognito-idp:us-east-1:000000000000:userpool/{pool}");
            vec![Access::new(format!("cognito-idp:{operation}"), resource)]
        }
        "SESv2" => {
            let from = find_member(&body(), "FromEmailAddress").as_str().unwrap_or_default().to_owned();
            let address = from.rsplit_once('<').map_or(from.as_str(), |(_, address)| address.trim_end_matches('>'));
            let access =
                Access::new(format!("ses:{operation}"), "arn:aws:ses:us-east-1:000000000000:identity/localhost");
            vec![access.with("ses:FromAddress", vec![address.to_owned()])]
        }
        "SNS" => {
            let bytes = request.body().bytes().unwrap_or_default();
            let form: BTreeMap<_, _> = form_urlencoded::parse(bytes).into_owned().collect();
            let arn = ["PlatformApplicationArn", "EndpointArn", "TargetArn"].iter().find_map(|name| form.get(*name));
            vec![Access::new(format!("sns:{operation}"), arn.map(String::as_str).unwrap_or_default())]
        }
        _ => vec![Access::new(format!("{service}:{operation}"), "")],
    }
}

/// DynamoDB has no action for a transaction: each write in it needs its own.
fn of_dynamodb(names: &Names, operation: &str, body: &Value) -> Vec<Access> {
    if let Some(writes) = find_member(body, "TransactItems").as_array() {
        let writes = writes.iter().filter_map(|write| write.as_object()?.iter().next());
        return writes
            .map(|(name, write)| {
                let action =
                    if name == "ConditionCheck" { "ConditionCheckItem".to_owned() } else { format!("{name}Item") };
                of_items(names, &action, write, [write].into_iter())
            })
            .collect();
    }
    if let Some(tables) = find_member(body, "RequestItems").as_object() {
        return tables
            .iter()
            .map(|(table, requests)| {
                let keys = find_member(requests, "Keys").as_array().into_iter().flatten();
                let writes =
                    requests.as_array().into_iter().flatten().filter_map(|write| write.as_object()?.values().next());
                let named = serde_json::json!({ "TableName": table });
                of_items(names, operation, &named, keys.map(wrap_key).collect::<Vec<_>>().iter().chain(writes))
            })
            .collect();
    }
    vec![of_items(names, operation, body, [body].into_iter())]
}

fn wrap_key(key: &Value) -> Value {
    serde_json::json!({ "Key": key })
}

/// Returns the access of an action on items of a table, or of an index of it.
fn of_items<'a>(names: &Names, action: &str, request: &Value, items: impl Iterator<Item = &'a Value>) -> Access {
    let table = if find_member(request, "TableName") == names.table.as_str() { "Table" } else { "another" };
    let mut resource = format!("arn:aws:dynamodb:us-east-1:000000000000:table/{table}");
    if let Some(index) = find_member(request, "IndexName").as_str() {
        resource = format!("{resource}/index/{index}");
    }
    let keys = items.filter_map(|item| partition_key(item).as_str().map(str::to_owned)).collect();
    Access::new(format!("dynamodb:{action}"), resource).with("dynamodb:LeadingKeys", keys)
}

/// Finds the partition key of an item that is read or written, or of a query.
fn partition_key(request: &Value) -> &Value {
    if let Some(condition) = find_member(request, "KeyConditionExpression").as_str() {
        // DynamoDB wants the partition key by `=`; the store writes it first.
        let name = condition.split(" AND ").next().and_then(|first| first.split(" = ").nth(1)).unwrap_or_default();
        return find_member(find_member(find_member(request, "ExpressionAttributeValues"), name), "S");
    }
    request.pointer("/Key/PK/S").or_else(|| request.pointer("/Item/PK/S")).unwrap_or(&Value::Null)
}

/// The actions of S3's operations, by its service authorization reference.
fn of_s3(names: &Names, operation: &str, request: &Request) -> Vec<Access> {
    let uri = request.uri();
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let path = path.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or(path, |(_, path)| path);
    let resource = object_arn(names, path);
    match operation {
        "HeadObject" => vec![Access::new("s3:GetObject", resource)],
        "CreateMultipartUpload" | "UploadPart" | "CompleteMultipartUpload" => {
            vec![Access::new("s3:PutObject", resource)]
        }
        "CopyObject" => {
            let source = request.headers().get("x-amz-copy-source").unwrap_or_default();
            let source = object_arn(names, source);
            // A copy takes along the tags of its source.
            vec![
                Access::new("s3:GetObject", source.as_str()),
                Access::new("s3:GetObjectTagging", source.as_str()),
                Access::new("s3:PutObject", resource.as_str()),
                Access::new("s3:PutObjectTagging", resource.as_str()),
            ]
        }
        "DeleteObjects" => {
            let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default());
            let keys = body.split("<Key>").skip(1).filter_map(|rest| rest.split("</Key>").next());
            keys.map(|key| Access::new("s3:DeleteObject", format!("{resource}/{key}"))).collect()
        }
        "ListObjectsV2" => {
            let prefix = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "prefix");
            let prefix = prefix.map(|(_, prefix)| prefix.into_owned()).unwrap_or_default();
            vec![Access::new("s3:ListBucket", resource).with("s3:prefix", vec![prefix])]
        }
        _ => vec![Access::new(format!("s3:{operation}"), resource)],
    }
}

/// Returns the ARN of a bucket, or of an object in it, by its encoded path.
fn object_arn(names: &Names, path: &str) -> String {
    let path = percent_decode_str(path.trim_matches('/')).decode_utf8_lossy();
    let key = path.strip_prefix(names.bucket.as_str());
    let key = key.filter(|key| key.is_empty() || key.starts_with('/'));
    key.map_or_else(|| "arn:aws:s3:::another".to_owned(), |key| format!("arn:aws:s3:::muster-files-local{key}"))
}
