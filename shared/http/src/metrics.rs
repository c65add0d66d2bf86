//! Metrics of a request in its own log line, in CloudWatch's embedded metric format.
//!
//! CloudWatch reads them from the log, so that no function makes a call for them. The formatter of `tracing` writes a nested
//! object as text, which is no metric: so this line is written here, with the members that it has otherwise.

use std::io::{self, Write as _};

use domain::Time;
use serde_json::{Value, json};

/// The metrics that a request's log line carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestMetrics {
    /// The namespace of the metrics in CloudWatch.
    pub namespace: String,
    /// The dimension of the metrics.
    pub dimension: Dimension,
}

/// The dimension of metrics. CloudWatch bills each value with requests as five metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dimension {
    /// By the function, which has this name.
    Function(String),
    /// By the pattern of the route.
    Route,
}

/// An answered request, as its log line describes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AnsweredRequest<'a> {
    pub(crate) id: &'a str,
    pub(crate) method: &'a str,
    pub(crate) route: &'a str,
    pub(crate) actor: &'a str,
    pub(crate) status: u16,
    pub(crate) millis: u64,
    pub(crate) read_units: f64,
    pub(crate) write_units: f64,
}

impl RequestMetrics {
    /// Writes the log line of a request with its metrics to standard output, which Lambda keeps.
    pub(crate) fn write_line(&self, request: &AnsweredRequest<'_>) {
        // There is nowhere else to report that a log line could not be written.
        drop(writeln!(io::stdout(), "{}", self.line(request, Time::now())));
    }

    /// Returns the log line: what it has without metrics, and what turns five of its numbers into metrics.
    fn line(&self, request: &AnsweredRequest<'_>, now: Time) -> Value {
        let AnsweredRequest { id, method, route, actor, status, millis, read_units, write_units } = *request;
        let (dimension, value) = match &self.dimension {
            Dimension::Function(function) => ("function", function.as_str()),
            // A path without a route has no pattern, and a dimension must not be empty.
            Dimension::Route if route.is_empty() => ("route", "none"),
            Dimension::Route => ("route", route),
        };
        json!({
            "level": "INFO",
            "message": "answered",
            "status": status,
            "millis": millis,
            "read_units": read_units,
            "write_units": write_units,
            "actor": actor,
            "client_errors": u8::from((400..500).contains(&status)),
            "server_errors": u8::from(status >= 500),
            dimension: value,
            "span": { "request_id": id, "method": method, "route": route, "name": "request" },
            "_aws": {
                "Timestamp": now.millis(),
                "CloudWatchMetrics": [{
                    "Namespace": self.namespace,
                    "Dimensions": [[dimension]],
                    "Metrics": [
                        { "Name": "millis", "Unit": "Milliseconds" },
                        { "Name": "read_units", "Unit": "Count" },
                        { "Name": "write_units", "Unit": "Count" },
                        { "Name": "client_errors", "Unit": "Count" },
                        { "Name": "server_errors", "Unit": "Count" },
                    ],
                }],
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(dimension: Dimension, route: &str, status: u16) -> Value {
        let metrics = RequestMetrics { namespace: "muster".to_owned(), dimension };
        let (read_units, write_units) = (1.5, 0.0);
        let request = AnsweredRequest {
            id: "an-id",
            method: "GET",
            route,
            actor: "anonymous",
            status,
            millis: 12,
            read_units,
            write_units,
        };
        let line = metrics.line(&request, Time::from_millis(1_790_000_000_000)).to_string();
        assert!(!line.contains('\n'), "one line is one log event");
        serde_json::from_str(&line).unwrap()
    }

    #[test]
    fn line_is_in_embedded_metric_format() {
        let line = line(Dimension::Route, "/v1/users/{user}", 200);
        let metrics = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(line["_aws"]["Timestamp"], json!(1_790_000_000_000_i64));
        assert_eq!(metrics["Namespace"], "muster");
        for dimension in metrics["Dimensions"][0].as_array().unwrap() {
            assert!(line[dimension.as_str().unwrap()].is_string(), "a dimension is a text beside _aws");
        }
        for metric in metrics["Metrics"].as_array().unwrap() {
            assert!(line[metric["Name"].as_str().unwrap()].is_number(), "a metric is a number beside _aws");
        }
        assert_eq!((&line["read_units"], &line["write_units"]), (&json!(1.5), &json!(0.0)));
        assert_eq!((&line["millis"], &line["route"]), (&json!(12), &json!("/v1/users/{user}")));
    }

    #[test]
    fn errors_count_to_the_side_that_caused_them() {
        for (status, client, server) in [(200, 0, 0), (304, 0, 0), (404, 1, 0), (499, 1, 0), (500, 0, 1), (503, 0, 1)] {
            let line = line(Dimension::Function("muster-auth".to_owned()), "/v1/auth/login", status);
            assert_eq!((&line["client_errors"], &line["server_errors"]), (&json!(client), &json!(server)), "{status}");
            assert_eq!(line["function"], "muster-auth");
            assert!(line.get("route").is_none(), "what is no dimension is in the span");
        }
    }

    #[test]
    fn unknown_paths_share_a_dimension() {
        assert_eq!(line(Dimension::Route, "", 404)["route"], "none");
    }
}
