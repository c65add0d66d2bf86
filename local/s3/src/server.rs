//! HTTP: connections, and what surrounds each operation.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, S3Error, S3Result};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::operations::Operations;
use crate::signed::{self, Credentials};
use crate::{Shared, cors};

/// How much of a refused upload is read, so that its sender gets to see the answer instead of a reset connection.
const DRAINED: usize = 64 * 1024 * 1024;

/// Answers until dropped; the connections go with it.
pub(crate) async fn serve(shared: Arc<Shared>, listener: TcpListener) {
    let front = Arc::new(Front::new(shared));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(Arc::clone(&front), stream));
                }
                Err(error) => {
                    // Too many open files, most likely: without the pause this would spin until some are closed.
                    tracing::warn!(%error, "the local S3 cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(front: Arc<Front>, stream: TcpStream) {
    // Small answers would wait for the client's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let front = Arc::clone(&front);
        async move { Ok::<_, Infallible>(front.answer(request).await) }
    });
    let served = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection to the local S3 broke");
    }
}

/// What stands before the operations.
struct Front {
    shared: Arc<Shared>,
    service: S3Service,
    requests: AtomicU64,
}

impl Front {
    fn new(shared: Arc<Shared>) -> Self {
        let mut service = S3ServiceBuilder::new(Operations { shared: Arc::clone(&shared) });
        service.set_auth(Credentials {
            access_key: shared.options.access_key.clone(),
            secret_key: shared.options.secret_key.clone().into(),
        });
        Self { shared, service: service.build(), requests: AtomicU64::new(1) }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let body = Kept(Arc::new(Mutex::new(body)));
        let shared_with = self.cross_origin(&parts);
        let waits = parts.headers.contains_key(header::EXPECT);
        let mut response = match self.operate(parts, body.clone()).await {
            Ok(response) => response,
            Err(error) => refused(error),
        };
        if response.status().is_client_error() && !waits {
            body.drain().await;
        }
        let headers = response.headers_mut();
        headers.extend(shared_with.unwrap_or_default());
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        if let Ok(id) = HeaderValue::from_str(&format!("{number:016X}")) {
            headers.insert("x-amz-request-id", id);
        }
        response
    }

    async fn operate(&self, mut parts: Parts, body: Kept) -> S3Result<Response<Body>> {
        if parts.method == Method::OPTIONS {
            let rules = self.shared.store.cors(bucket(&parts))?;
            let mut response = Response::new(Body::empty());
            *response.headers_mut() = cors::preflight(&parts.headers, &rules)?;
            return Ok(response);
        }
        signed::check(&parts, &self.shared.options.region)?;
        join_encodings(&mut parts.headers);
        let request = Request::from_parts(parts, Body::http_body(body));
        let failed = |error| {
            let mut internal = S3Error::new(s3s::S3ErrorCode::InternalError);
            internal.set_source(s3s::StdError::from(error));
            internal
        };
        self.service.call(request).await.map_err(failed)
    }

    /// The CORS headers of the answer, be it good or bad: without them a script cannot even read an error.
    fn cross_origin(&self, parts: &Parts) -> Option<HeaderMap> {
        if parts.method == Method::OPTIONS {
            return None;
        }
        let origin = parts.headers.get(header::ORIGIN)?.to_str().ok()?;
        let rules = self.shared.store.cors(bucket(parts)).ok()?;
        cors::actual(&parts.method, origin, &rules)
    }
}

/// The bucket of a path-style request. Bucket names have nothing to decode.
fn bucket(parts: &Parts) -> &str {
    parts.uri.path().trim_start_matches('/').split('/').next().unwrap_or("")
}

/// The SDKs send their `aws-chunked` beside an encoding of the caller's, which `s3s` takes for a mistake.
/// Signatures see no difference between two headers and one list.
fn join_encodings(headers: &mut HeaderMap) {
    let encodings: Vec<_> = headers.get_all(header::CONTENT_ENCODING).iter().map(HeaderValue::as_bytes).collect();
    if encodings.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&encodings.join(&b','))
    {
        headers.insert(header::CONTENT_ENCODING, joined);
    }
}

fn refused(error: S3Error) -> Response<Body> {
    error.to_http_response().unwrap_or_else(|error| {
        tracing::error!(%error, "an S3 error could not be written");
        let mut response = Response::new(Body::empty());
        *response.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

/// A request's body, of which the rest can still be read when the operation has dropped its share.
#[derive(Clone)]
struct Kept(Arc<Mutex<Incoming>>);

impl Kept {
    async fn drain(mut self) {
        let mut read = 0;
        while let Some(Ok(frame)) = self.frame().await {
            read += frame.data_ref().map_or(0, Bytes::len);
            if read > DRAINED {
                return;
            }
        }
    }
}

impl HttpBody for Kept {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let mut body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Pin::new(&mut *body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).size_hint()
    }
}
