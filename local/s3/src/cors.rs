//! Cross-origin requests: a bucket's rules, preflights, and the headers that let a browser read an answer.

use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};
use s3s::{S3Error, S3Result, s3_error};
use serde::{Deserialize, Serialize};

use crate::error::unlisted;

/// One rule of a bucket's CORS configuration; the first that matches a request decides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorsRule {
    /// A name for people.
    pub id: Option<String>,
    /// Origins such as `https://example.com`, each with at most one `*`.
    pub allowed_origins: Vec<String>,
    /// Of `GET`, `PUT`, `POST`, `DELETE` and `HEAD`.
    pub allowed_methods: Vec<String>,
    /// Header names that a preflight may ask for, each with at most one `*`.
    pub allowed_headers: Vec<String>,
    /// Headers of the answer that a script may read.
    pub expose_headers: Vec<String>,
    /// How long a browser may keep the answer to a preflight.
    pub max_age_seconds: Option<i32>,
}

/// Refuses what S3 refuses when a configuration is put.
pub(crate) fn check(rules: &[CorsRule]) -> S3Result<()> {
    for rule in rules {
        if rule.allowed_origins.is_empty() || rule.allowed_methods.is_empty() {
            let message = "The XML you provided was not well-formed or did not validate against our published schema";
            return Err(s3_error!(MalformedXML, "{message}"));
        }
        if let Some(method) =
            rule.allowed_methods.iter().find(|m| !["GET", "PUT", "POST", "DELETE", "HEAD"].contains(&m.as_str()))
        {
            let message = "Found unsupported HTTP method in CORS config. Unsupported method is";
            return Err(s3_error!(InvalidRequest, "{message} {method}"));
        }
        let wild = |pattern: &&String| pattern.matches('*').count() > 1;
        if let Some(origin) = rule.allowed_origins.iter().find(wild) {
            return Err(s3_error!(InvalidRequest, "AllowedOrigin \"{origin}\" can not have more than one wildcard."));
        }
        if let Some(name) = rule.allowed_headers.iter().find(wild) {
            return Err(s3_error!(InvalidRequest, "AllowedHeader \"{name}\" can not have more than one wildcard."));
        }
    }
    Ok(())
}

/// The headers of a preflight's answer.
pub(crate) fn preflight(headers: &HeaderMap, rules: &[CorsRule]) -> S3Result<HeaderMap> {
    let bad = |message| unlisted("BadRequest", StatusCode::BAD_REQUEST, message);
    let origin =
        text(headers, &header::ORIGIN).ok_or_else(|| bad("Insufficient information. Origin request header needed."))?;
    let method = text(headers, &header::ACCESS_CONTROL_REQUEST_METHOD)
        .ok_or_else(|| bad("Invalid Access-Control-Request-Method: null"))?;
    if rules.is_empty() {
        return Err(forbidden("CORSResponse: CORS is not enabled for this bucket."));
    }
    let names = text(headers, &header::ACCESS_CONTROL_REQUEST_HEADERS).unwrap_or("").to_ascii_lowercase();
    let names: Vec<&str> = names.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    let rule = matching(rules, origin, method, &names).ok_or_else(|| {
        forbidden(
            "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request \
             method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the \
             resource's CORS spec.",
        )
    })?;
    let mut answer = shared_headers(rule, origin);
    if !names.is_empty() {
        set(&mut answer, header::ACCESS_CONTROL_ALLOW_HEADERS, &names.join(", "));
    }
    Ok(answer)
}

/// The headers that let a script of the request's origin read the answer, if a rule does.
pub(crate) fn actual(method: &Method, origin: &str, rules: &[CorsRule]) -> Option<HeaderMap> {
    matching(rules, origin, method.as_str(), &[]).map(|rule| shared_headers(rule, origin))
}

fn matching<'a>(rules: &'a [CorsRule], origin: &str, method: &str, names: &[&str]) -> Option<&'a CorsRule> {
    rules.iter().find(|rule| {
        rule.allowed_origins.iter().any(|pattern| fits(pattern, origin))
            && rule.allowed_methods.iter().any(|allowed| allowed == method)
            && names
                .iter()
                .all(|name| rule.allowed_headers.iter().any(|pattern| fits(&pattern.to_ascii_lowercase(), name)))
    })
}

fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, end)) => text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end),
    }
}

fn shared_headers(rule: &CorsRule, origin: &str) -> HeaderMap {
    let mut answer = HeaderMap::new();
    if rule.allowed_origins.iter().any(|pattern| pattern == "*") {
        set(&mut answer, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    } else {
        set(&mut answer, header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        set(&mut answer, header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
    }
    set(&mut answer, header::ACCESS_CONTROL_ALLOW_METHODS, &rule.allowed_methods.join(", "));
    if !rule.expose_headers.is_empty() {
        set(&mut answer, header::ACCESS_CONTROL_EXPOSE_HEADERS, &rule.expose_headers.join(", "));
    }
    if let Some(seconds) = rule.max_age_seconds {
        set(&mut answer, header::ACCESS_CONTROL_MAX_AGE, &seconds.to_string());
    }
    set(&mut answer, header::VARY, "Origin, Access-Control-Request-Headers, Access-Control-Request-Method");
    answer
}

fn forbidden(message: &'static str) -> S3Error {
    unlisted("AccessForbidden", StatusCode::FORBIDDEN, message)
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // A configured name that cannot stand in a header cannot be in a request either.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
