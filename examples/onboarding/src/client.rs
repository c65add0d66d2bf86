//! A client of the API, and what the example tells and asserts.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::Value;

/// Why the example ends early, in words.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Muster, as somebody who may have signed in sees it.
pub(crate) struct Muster {
    url: String,
    token: Option<String>,
    http: Client,
}

impl Muster {
    /// The one that answers here.
    pub(crate) fn at(url: &str) -> Self {
        Self { url: url.trim_end_matches('/').to_owned(), token: None, http: Client::new() }
    }

    /// Whoever has this token calls from now on.
    pub(crate) fn sign_in(&mut self, token: &str) {
        self.token = Some(token.to_owned());
    }

    /// Reads an object or a list.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        json(self.request(Method::GET, path), StatusCode::OK).await
    }

    /// Makes an object: what it is.
    pub(crate) async fn create(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        json(self.request(Method::POST, path).json(body), StatusCode::CREATED).await
    }

    /// Does what makes nothing.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        json(self.request(Method::POST, path).json(body), StatusCode::OK).await
    }

    /// Writes over what is there.
    pub(crate) async fn put(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        json(self.request(Method::PUT, path).json(body), StatusCode::OK).await
    }

    /// The bytes that a path leads to.
    pub(crate) async fn fetch(&self, path: &str) -> Result<Vec<u8>, Failure> {
        Ok(expect(self.request(Method::GET, path), StatusCode::OK).await?.bytes().await?.into())
    }

    /// The code in the last message to an address. The local system shows what would have been sent.
    pub(crate) async fn code_sent_to(&self, email: &str) -> Result<String, Failure> {
        let sent = self.get(&format!("/_local/outbox?to={}", email.replace('+', "%2B"))).await?;
        let last = sent.pointer("/data").and_then(Value::as_array).and_then(|sent| sent.last());
        text(last.ok_or("nothing was sent")?, "/code")
    }

    /// Sends a file as the answer that began its upload says: to the bucket, without a token.
    pub(crate) async fn put_file(&self, begun: &Value, bytes: &'static [u8]) -> Result<(), Failure> {
        let method: Method = text(begun, "/method")?.parse()?;
        let mut request = self.http.request(method, text(begun, "/url")?).body(bytes);
        for (name, value) in begun.pointer("/headers").and_then(Value::as_object).into_iter().flatten() {
            // HTTP clients send this one by themselves.
            if name != "content-length" {
                request = request.header(name, value.as_str().unwrap_or_default());
            }
        }
        expect(request, StatusCode::OK).await.map(drop)
    }

    /// Waits until the file of an upload has been checked, and was accepted.
    pub(crate) async fn wait_until_available(&self, upload: &str) -> Result<(), Failure> {
        for _ in 0..200 {
            let upload = self.get(&format!("/v1/uploads/{upload}")).await?;
            match text(&upload, "/status")?.as_str() {
                "AVAILABLE" => return Ok(()),
                "REJECTED" => return Err(format!("The file was rejected: {upload}").into()),
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
        Err("The file is still being checked after ten seconds.".into())
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }
}

async fn json(request: RequestBuilder, status: StatusCode) -> Result<Value, Failure> {
    Ok(expect(request, status).await?.json().await?)
}

/// The answer, if it has this status.
async fn expect(request: RequestBuilder, status: StatusCode) -> Result<reqwest::Response, Failure> {
    let answer = request.send().await?;
    if answer.status() == status {
        return Ok(answer);
    }
    let (url, got) = (answer.url().path().to_owned(), answer.status());
    Err(format!("{url} answers {got} instead of {status}: {}", answer.text().await?).into())
}

/// The id of an object.
pub(crate) fn id(object: &Value) -> Result<String, Failure> {
    text(object, "/id")
}

/// The text at a place of an answer.
pub(crate) fn text(answer: &Value, at: &str) -> Result<String, Failure> {
    let text = answer.pointer(at).and_then(Value::as_str);
    text.map(str::to_owned).ok_or_else(|| format!("There is no text at {at} of {answer}").into())
}

/// Asserts what stands at a place of an answer.
pub(crate) fn check(answer: &Value, at: &str, must_be: &Value) -> Result<(), Failure> {
    let is = answer.pointer(at).unwrap_or(&Value::Null);
    if is == must_be { Ok(()) } else { Err(format!("{at} is {is}, and must be {must_be}").into()) }
}

/// Prints a step. Whoever started the program may have stopped reading, which is no reason to end.
pub(crate) fn say(step: &str, what: impl Display) {
    drop(writeln!(io::stdout(), "{step:14} {what}"));
}
