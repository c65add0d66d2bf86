//! A segment with a membership, a custom field for files, and a member who has a login of its own.

use std::time::Duration;

use domain::{
    Act, Body as _, CustomField, CustomFieldFields, Key, KeyFields, KeyId, Member, MemberFields, Membership,
    MembershipFields, Segment, SegmentFields, SegmentId, Time,
};
use files::ObjectKey;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use store::{AlsoOfMember, Part};

use crate::system::{Ana, Muster, Reply};

/// What most tests of uploads need.
pub(crate) struct Club {
    pub(crate) muster: Muster,
    pub(crate) owner: Ana,
    pub(crate) segment: SegmentId,
    pub(crate) member: Member,
    /// The user who is the member.
    pub(crate) user: Ana,
}

/// What S3 answers.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Club {
    pub(crate) async fn found() -> Self {
        Self::with(Muster::start().await).await
    }

    pub(crate) async fn with(muster: Muster) -> Self {
        let (owner, user) = (muster.ana().await, muster.ana().await);
        let segment = segment(&muster, &owner).await;
        let member = member(&muster, &owner, segment, &user).await;
        Self { muster, owner, segment, member, user }
    }

    /// Another segment of the owner.
    pub(crate) async fn other_segment(&self) -> SegmentId {
        segment(&self.muster, &self.owner).await
    }

    /// A member of another membership of the segment, who is this user.
    pub(crate) async fn other_member(&self, user: &Ana) -> Member {
        member(&self.muster, &self.owner, self.segment, user).await
    }

    /// The secret of a new key: of a segment, or else of the account.
    pub(crate) async fn key(&self, segment: Option<SegmentId>, scopes: &[&str]) -> String {
        let (id, account) = (KeyId::fresh(), self.owner.id.parse().unwrap());
        let secret = edge::KeySecret::fresh(id, account, segment).unwrap();
        let fields = KeyFields::parse(json!({ "name": "A key", "scopes": scopes })).unwrap();
        let key =
            Key::new(id, (account, segment), fields, secret.prefix(), (domain::KeyCreator::user(account), Time::now()));
        let act = domain::Act::by_itself("test");
        let audit = domain::AuditEntry::new(domain::AuditAction::KeyCreated, (account, segment), id, act);
        self.muster.functions.app.store.create_key(&key, &secret.hash(), None, &audit).await.unwrap();
        secret.reveal().to_owned()
    }

    /// Begins an upload as the owner; `more` goes over what is usual.
    pub(crate) async fn begin(&self, more: Value) -> Reply {
        self.muster.post("/v1/uploads", self.body(more)).by(&self.owner).send().await
    }

    /// What begins an upload of the segment.
    pub(crate) fn body(&self, more: Value) -> Value {
        let mut body =
            json!({ "segment_id": self.segment, "filename": "a.png", "content_type": "image/png", "size": 5 });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    }

    /// Begins an upload of these bytes and sends them: its id.
    pub(crate) async fn send(&self, content_type: &str, bytes: &[u8]) -> String {
        let begun = self.begin(json!({ "content_type": content_type, "size": bytes.len() })).await;
        assert_eq!(begun.status, 201, "{begun:?}");
        let stored = put(&begun.body, bytes, &[]).await;
        assert_eq!(stored.status, 200, "{stored:?}");
        id(&begun)
    }

    /// The upload, once its file was checked.
    pub(crate) async fn checked(&self, id: &str) -> Value {
        for _ in 0..500 {
            let upload = self.muster.get(&format!("/v1/uploads/{id}")).by(&self.owner).send().await;
            assert_eq!(upload.status, 200, "{upload:?}");
            if upload.body["status"] != "PENDING" {
                return upload.body;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{id} stays pending");
    }

    /// The file, as the owner fetches it.
    pub(crate) async fn fetch(&self, id: &str) -> Stored {
        let content = self.muster.get(&format!("/v1/uploads/{id}/content")).by(&self.owner).send().await;
        assert_eq!((content.status.as_u16(), content.header("cache-control")), (302, "private, no-store"));
        get(content.header("location")).await
    }

    /// Whether there is an object of the upload in quarantine, and a clean one.
    pub(crate) async fn objects(&self, id: &str) -> (bool, bool) {
        let (files, id) = (&self.muster.functions.files, id.parse().unwrap());
        let quarantined = files.head(&ObjectKey::quarantine(id)).await.is_ok();
        (quarantined, files.head(&ObjectKey::clean(id)).await.is_ok())
    }

    /// Waits until nothing of the upload is in quarantine.
    pub(crate) async fn cleared(&self, id: &str) {
        for _ in 0..500 {
            if !self.objects(id).await.0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{id} stays in quarantine");
    }

    pub(crate) fn s3(&self) -> aws_sdk_s3::Client {
        let wiring = &self.muster.wiring;
        let config = aws_sdk_s3::config::Builder::from(&wiring.config()).endpoint_url(&wiring.endpoints.s3);
        aws_sdk_s3::Client::from_conf(config.build())
    }
}

/// The id of what was made.
pub(crate) fn id(reply: &Reply) -> String {
    reply.body["id"].as_str().unwrap().to_owned()
}

/// A segment of this user.
pub(crate) async fn segment(muster: &Muster, owner: &Ana) -> SegmentId {
    let fields = SegmentFields::parse(json!({ "name": "Card users" })).unwrap();
    let number = domain::segment::SegmentNumber::default();
    let new = Segment::new(SegmentId::fresh(), owner.id.parse().unwrap(), number, fields, Time::now());
    muster.functions.app.store.create_segment(&new).await.unwrap().id
}

/// A membership with two custom fields, and a member of it who is `user`.
pub(crate) async fn member(muster: &Muster, owner: &Ana, segment: SegmentId, user: &Ana) -> Member {
    let store = &muster.functions.app.store;
    let fields = MembershipFields::parse(json!({ "name": "Club" })).unwrap();
    let owner = owner.id.parse().unwrap();
    let membership = Membership::new(domain::MembershipId::fresh(), segment, owner, fields, Time::now());
    store.create_membership(&membership, Act::by_itself("test")).await.unwrap();
    for field in [
        json!({ "key": "tax_certificate", "name": "Certificate", "type": "file", "max_size": 1000,
            "content_types": ["application/pdf"] }),
        json!({ "key": "nickname", "name": "Nickname", "type": "string" }),
    ] {
        let fields = CustomFieldFields::parse(field).unwrap();
        let field = CustomField::new(domain::FieldId::fresh(), membership.id, fields, Time::now());
        let before = store.configuration(membership.id).await.unwrap();
        store.change_configuration(&before, Part::NewField(&field), false, Act::by_itself("test")).await.unwrap();
    }
    let fields = MemberFields::parse(json!({ "user_id": user.id })).unwrap();
    let new = Member::new(domain::MemberId::fresh(), &membership, fields, Time::now());
    let configuration = store.configuration(membership.id).await.unwrap();
    store.create_member(new, &configuration, AlsoOfMember::default(), Act::by_itself("test")).await.unwrap().member
}

/// Sends a file as the answer that began its upload says, with `changes` over its headers.
pub(crate) async fn put(begun: &Value, bytes: &[u8], changes: &[(&str, &str)]) -> Stored {
    let mut headers = HeaderMap::new();
    let told =
        begun["headers"].as_object().unwrap().iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap()));
    // A client sends the length of what it sends.
    for (name, value) in told.filter(|(name, _)| *name != "content-length").chain(changes.iter().copied()) {
        headers.insert(reqwest::header::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
    }
    let method = begun["method"].as_str().unwrap().parse().unwrap();
    let request = reqwest::Client::new().request(method, begun["url"].as_str().unwrap());
    stored(request.headers(headers).body(bytes.to_vec())).await
}

pub(crate) async fn get(url: &str) -> Stored {
    stored(reqwest::Client::new().get(url)).await
}

async fn stored(request: reqwest::RequestBuilder) -> Stored {
    let reply = request.send().await.unwrap();
    let (status, headers) = (reply.status().as_u16(), reply.headers().clone());
    Stored { status, headers, bytes: reply.bytes().await.unwrap().to_vec() }
}

impl Stored {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}
