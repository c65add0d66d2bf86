//! The functions' policies, and the decision that IAM makes by them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::access::Access;
use super::find_member;
use super::template::Template;

/// Policies and routes by the functions' names.
pub(super) struct Policies(BTreeMap<String, Function>);

#[derive(Default)]
struct Function {
    statements: Vec<Statement>,
    /// The segments of each path; none at all is the route of all other paths.
    routes: Vec<Vec<String>>,
}

struct Statement {
    allows: bool,
    actions: Vec<String>,
    resources: Vec<String>,
    conditions: Vec<Condition>,
}

/// A condition: the operator, the key, and the patterns one of which must match.
struct Condition {
    operator: String,
    key: String,
    patterns: Vec<String>,
}

/// An action and a resource as a statement names them.
pub(super) type Grant<'a> = (&'a str, &'a str);

impl Policies {
    pub(super) fn read(template: &Template) -> Self {
        let functions = template.functions().map(|(name, properties)| {
            let policies = template.resolve(find_member(properties, "Policies"));
            let statements = list(&policies).into_iter().flat_map(|policy| list(find_member(policy, "Statement")));
            let events = find_member(properties, "Events").as_object().into_iter().flatten();
            let routes = events.filter(|(_, event)| find_member(event, "Type") == "HttpApi");
            let routes = routes.map(|(_, route)| {
                split(find_member(find_member(route, "Properties"), "Path").as_str().unwrap_or_default())
            });
            (
                name.to_owned(),
                Function {
                    statements: statements.map(Statement::read).collect(),
                    routes: routes.map(|path| path.map(str::to_owned).collect()).collect(),
                },
            )
        });
        Self(functions.collect())
    }

    /// Returns the function that API Gateway calls for a path: that of the most specific route.
    pub(super) fn function_of(&self, path: &str) -> Option<&str> {
        let path: Vec<_> = split(path).collect();
        let routes = self.0.iter().flat_map(|(name, function)| function.routes.iter().map(move |route| (name, route)));
        let matching = routes.filter(|(_, route)| matches_route(route, &path));
        matching.max_by_key(|(_, route)| specificity(route)).map(|(name, _)| name.as_str())
    }

    /// Decides whether a function may do this: the grants that say so, none of them if it may not.
    pub(super) fn grants(&self, function: &str, access: &Access) -> Vec<Grant<'_>> {
        let statements = self.0.get(function).map(|function| function.statements.as_slice()).unwrap_or_default();
        let matching = || statements.iter().filter(|statement| statement.applies_to(access));
        if matching().any(|statement| !statement.allows) {
            return Vec::new();
        }
        matching().flat_map(|statement| statement.grants().filter(|grant| covers(*grant, access))).collect()
    }

    /// Lists all that the functions are granted.
    pub(super) fn all_grants(&self) -> impl Iterator<Item = (&str, Grant<'_>)> {
        self.0.iter().flat_map(|(name, function)| {
            let allowing = function.statements.iter().filter(|statement| statement.allows);
            allowing.flat_map(move |statement| statement.grants().map(move |grant| (name.as_str(), grant)))
        })
    }
}

impl Statement {
    fn read(statement: &Value) -> Self {
        let mut conditions = Vec::new();
        for (operator, keys) in find_member(statement, "Condition").as_object().into_iter().flatten() {
            for (key, patterns) in keys.as_object().into_iter().flatten() {
                conditions.push(Condition {
                    operator: operator.clone(),
                    key: key.clone(),
                    patterns: list(patterns).into_iter().filter_map(Value::as_str).map(str::to_owned).collect(),
                });
            }
        }
        let texts =
            |name: &str| list(find_member(statement, name)).into_iter().filter_map(Value::as_str).map(str::to_owned);
        Self {
            allows: find_member(statement, "Effect") == "Allow",
            actions: texts("Action").collect(),
            resources: texts("Resource").collect(),
            conditions,
        }
    }

    fn grants(&self) -> impl Iterator<Item = Grant<'_>> {
        let resources = || self.resources.iter().map(String::as_str);
        self.actions.iter().flat_map(move |action| resources().map(move |resource| (action.as_str(), resource)))
    }

    fn applies_to(&self, access: &Access) -> bool {
        self.grants().any(|grant| covers(grant, access))
            && self.conditions.iter().all(|condition| condition.is_met(access))
    }
}

impl Condition {
    /// Checks the condition. One with an operator that is unknown here is never met.
    fn is_met(&self, access: &Access) -> bool {
        let values = access.context.get(self.key.as_str()).map(Vec::as_slice).unwrap_or_default();
        let matches = |value: &String| self.patterns.iter().any(|pattern| matches_pattern(pattern, value));
        match self.operator.as_str() {
            "StringEquals" => values.iter().any(|value| self.patterns.contains(value)),
            "StringLike" => values.iter().any(matches),
            "ForAnyValue:StringEquals" => values.iter().any(|value| self.patterns.contains(value)),
            _ => false,
        }
    }
}

fn covers((action, resource): Grant<'_>, access: &Access) -> bool {
    matches_pattern(action, access.action.as_str()) && matches_pattern(resource, &access.resource)
}

/// Matches IAM's wildcard `*`, which stands for any characters.
fn matches_pattern(pattern: &str, value: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == value };
    let Some(mut value) = value.strip_prefix(start) else { return false };
    let mut parts: Vec<_> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        let Some((_, after)) = value.split_once(part) else { return false };
        value = after;
    }
    value.ends_with(end)
}

fn split(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

fn matches_route(route: &[String], path: &[&str]) -> bool {
    if route.is_empty() {
        return true;
    }
    let is_greedy = route.last().is_some_and(|segment| segment.ends_with("+}"));
    let is_long_enough = if is_greedy { path.len() >= route.len() } else { path.len() == route.len() };
    let mut pairs = route.iter().zip(path);
    is_long_enough && pairs.all(|(pattern, segment)| pattern.starts_with('{') || pattern == segment)
}

/// Orders routes: those with more literal segments first, then those that end.
fn specificity(route: &[String]) -> (usize, bool) {
    let literals = route.iter().filter(|segment| !segment.starts_with('{')).count();
    (literals, !route.iter().any(|segment| segment.ends_with("+}")))
}

fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Null => Vec::new(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => vec![value],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policies() -> Policies {
        Policies::read(&Template::parse().unwrap())
    }

    fn access(action: &str, resource: &str) -> Access {
        Access { action: action.to_owned(), resource: resource.to_owned(), context: BTreeMap::new() }
    }

    const TABLE: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/Table";

    #[test]
    fn each_path_leads_to_the_function_of_its_most_specific_route() {
        let policies = policies();
        for (path, function) in [
            ("/v1/auth/login", "Auth"),
            ("/v1/auth/magic-link", "Users"),
            ("/v1/users/exists", "Users"),
            ("/v1/users/me/addresses", "Addresses"),
            ("/v1/segments/1/users/batch", "Users"),
            ("/flows/a/b/c", "Dialects"),
            ("/health", "Docs"),
            ("/v1/nothing", "Docs"),
            ("/flows", "Docs"),
            ("/", "Docs"),
        ] {
            assert_eq!(policies.function_of(path), Some(function), "{path}");
        }
    }

    #[test]
    fn a_function_may_do_only_what_a_statement_allows_and_none_denies() {
        let policies = policies();
        assert_eq!(policies.grants("Docs", &access("dynamodb:GetItem", TABLE)), []);
        assert_eq!(policies.grants("Keys", &access("dynamodb:Scan", TABLE)), []);
        assert_eq!(policies.grants("Keys", &access("dynamodb:GetItem", "another")), []);
        assert_eq!(policies.grants("Keys", &access("dynamodb:GetItem", TABLE)).len(), 1);
        assert_eq!(policies.grants("Keys", &access("dynamodb:Query", &format!("{TABLE}/index/pending"))), []);
        let mut sealing = access("dynamodb:GetItem", TABLE);
        assert_eq!(policies.grants("Transfers", &sealing).len(), 1);
        sealing.context.insert("dynamodb:LeadingKeys", vec!["U#1".to_owned(), "DS".to_owned()]);
        assert_eq!(policies.grants("Transfers", &sealing), []);
        assert_eq!(policies.grants("Keys", &sealing).len(), 1);
    }

    #[test]
    fn a_mail_goes_out_from_the_configured_sender_only() {
        let policies = policies();
        let mut mail = access("ses:SendEmail", "arn:aws:ses:us-east-1:000000000000:identity/localhost");
        assert_eq!(policies.grants("Users", &mail), []);
        mail.context.insert("ses:FromAddress", vec!["muster@localhost".to_owned()]);
        assert_eq!(policies.grants("Users", &mail).len(), 1);
    }

    #[test]
    fn a_bucket_is_listed_by_the_functions_prefixes_only() {
        let policies = policies();
        let mut listing = access("s3:ListBucket", "arn:aws:s3:::muster-files-local");
        listing.context.insert("s3:prefix", vec!["clean/1".to_owned()]);
        assert_eq!(policies.grants("Arrivals", &listing).len(), 1);
        listing.context.insert("s3:prefix", vec![String::new()]);
        assert_eq!(policies.grants("Arrivals", &listing), []);
    }

    #[test]
    fn every_grant_names_a_resource_that_was_resolved() {
        let policies = policies();
        let grants: Vec<_> = policies.all_grants().collect();
        assert!(grants.len() > 100, "{}", grants.len());
        for (function, (action, resource)) in grants {
            let is_resolved = resource == "*" || resource.starts_with("arn:aws:");
            assert!(is_resolved && !resource.contains(['$', '{']), "{function} {action} {resource}");
        }
    }
}
