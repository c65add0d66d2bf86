//! One fresh system per test, and the clients of it.

use std::fmt::Debug;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, SystemTime};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use files::{Files, Presigned};
use local_s3::{LocalS3, Options};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub(crate) const BUCKET: &str = "files";

/// A running server with one bucket.
pub(crate) struct System {
    pub(crate) s3: LocalS3,
    pub(crate) address: SocketAddr,
    server: JoinHandle<()>,
}

impl System {
    pub(crate) async fn start() -> Self {
        Self::start_with(open(None)).await
    }

    pub(crate) async fn start_with(s3: LocalS3) -> Self {
        s3.ensure_bucket(BUCKET).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(s3.clone().serve(listener));
        Self { s3, address, server }
    }

    /// As a crash would: nothing is told, nothing is awaited.
    pub(crate) async fn stop(self) {
        self.server.abort();
        let _ = self.server.await;
    }

    pub(crate) fn client(&self) -> Client {
        self.client_as("local", "secret", "us-east-1")
    }

    pub(crate) fn client_as(&self, access_key: &str, secret: &str, region: &str) -> Client {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(Credentials::new(access_key, secret, None, None, "test"))
            .endpoint_url(format!("http://{}", self.address))
            .region(Region::new(region.to_owned()))
            .force_path_style(true)
            .retry_config(RetryConfig::disabled())
            .build();
        Client::from_conf(config)
    }

    pub(crate) fn files(&self) -> Files {
        Files::new(self.client(), BUCKET)
    }

    pub(crate) async fn put(&self, key: &str, content: &'static str) {
        let body = ByteStream::from_static(content.as_bytes());
        self.client().put_object().bucket(BUCKET).key(key).body(body).send().await.unwrap();
    }

    /// What is stored under the key, if anything.
    pub(crate) async fn content(&self, key: &str) -> Option<Vec<u8>> {
        let got = self.client().get_object().bucket(BUCKET).key(key).send().await;
        match got {
            Ok(object) => Some(object.body.collect().await.unwrap().to_vec()),
            Err(error) if error.code() == Some("NoSuchKey") => None,
            Err(error) => panic!("{error:?}"),
        }
    }

    /// Sends bytes as they are, and returns what comes back until the server closes.
    pub(crate) async fn raw(&self, request: &str, then_close: bool) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        if then_close {
            stream.shutdown().await.unwrap();
        }
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await;
        String::from_utf8_lossy(&answer).into_owned()
    }
}

pub(crate) fn open(data: Option<&Path>) -> LocalS3 {
    LocalS3::open(options(data)).unwrap()
}

pub(crate) fn options(data: Option<&Path>) -> Options {
    Options {
        data: data.map(Path::to_owned),
        access_key: "local".to_owned(),
        secret_key: "secret".to_owned(),
        region: "us-east-1".to_owned(),
    }
}

/// The error code that the SDK saw.
pub(crate) fn code<T: Debug, E: ProvideErrorMetadata, R>(result: Result<T, SdkError<E, R>>) -> String {
    result.expect_err("refused").code().unwrap_or("none").to_owned()
}

/// What a bare request was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    /// The code of S3's error document.
    pub(crate) fn code(&self) -> &str {
        let start = self.body.split_once("<Code>").map_or("", |(_, rest)| rest);
        start.split_once("</Code>").map_or("", |(code, _)| code)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Sends a presigned request, with each of `changes` in place of its header of that name.
pub(crate) async fn send(presigned: &Presigned, changes: &[(&str, &str)], body: impl Into<reqwest::Body>) -> Answer {
    let mut headers = reqwest::header::HeaderMap::new();
    let signed = presigned.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in signed.filter(|(name, _)| *name != "content-length").chain(changes.iter().copied()) {
        headers.insert(reqwest::header::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
    }
    let method = presigned.method.parse().unwrap();
    let request = reqwest::Client::new().request(method, &presigned.url).headers(headers).body(body);
    answer(request.send().await.unwrap()).await
}

pub(crate) async fn answer(response: reqwest::Response) -> Answer {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, body: response.text().await.unwrap() }
}

/// Presigns from now on.
pub(crate) fn hour() -> PresigningConfig {
    PresigningConfig::expires_in(Duration::from_secs(3600)).unwrap()
}

/// Presigns as an hour ago, for half of it.
#[expect(clippy::disallowed_methods, reason = "what has expired must have begun in the past")]
pub(crate) fn past() -> PresigningConfig {
    let start = SystemTime::now() - Duration::from_secs(3600);
    PresigningConfig::builder().start_time(start).expires_in(Duration::from_secs(1800)).build().unwrap()
}

pub(crate) fn presigned(request: &aws_sdk_s3::presigning::PresignedRequest) -> Presigned {
    let headers = request.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Presigned { method: request.method().to_owned(), url: request.uri().to_owned(), headers }
}
