//! Reads `template.yaml`: the functions' policies and routes, as a deployment resolves them with every feature on.

use serde_json::{Map, Value, json};

use super::find_member;

const TEMPLATE: &str = include_str!("../../../template.yaml");

/// Parameters whose defaults switch features off, with values that switch them on.
const FEATURES: [(&str, &str); 5] = [
    ("MailFrom", "Muster <muster@localhost>"),
    ("PushApnsArn", "arn:aws:sns:us-east-1:000000000000:app/APNS/muster"),
    ("PushApnsSandboxArn", "arn:aws:sns:us-east-1:000000000000:app/APNS_SANDBOX/muster"),
    ("PushFcmArn", "arn:aws:sns:us-east-1:000000000000:app/GCM/muster"),
    ("EventBusName", "muster"),
];

/// The parameters that every stack has. The last part of the stack's id names the bucket.
const PSEUDO_PARAMETERS: [(&str, &str); 5] = [
    ("AWS::Partition", "aws"),
    ("AWS::Region", "us-east-1"),
    ("AWS::AccountId", "000000000000"),
    ("AWS::StackName", "muster"),
    ("AWS::StackId", "arn:aws:cloudformation:us-east-1:000000000000:stack/muster/local"),
];

/// The template, and the resolver of its intrinsic functions.
pub(super) struct Template(Value);

impl Template {
    /// Parses the template that this program was built with.
    ///
    /// # Errors
    /// The parser's message.
    pub(super) fn parse() -> Result<Self, yaml_serde::Error> {
        yaml_serde::from_str(TEMPLATE).map(|yaml| Self(to_json(yaml)))
    }

    /// Lists the functions by their names without the suffix `Function`, with their properties unresolved.
    pub(super) fn functions(&self) -> impl Iterator<Item = (&str, &Value)> {
        let resources = find_member(&self.0, "Resources").as_object().into_iter().flatten();
        let functions = resources.filter(|(_, resource)| find_member(resource, "Type") == "AWS::Serverless::Function");
        functions.map(|(name, resource)| (name.trim_end_matches("Function"), find_member(resource, "Properties")))
    }

    /// Resolves the intrinsic functions of a part of the template. `AWS::NoValue` becomes null, and leaves lists.
    pub(super) fn resolve(&self, value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(|item| self.resolve(item)).filter(|item| !item.is_null()).collect(),
            Value::Object(members) => match members.iter().next() {
                Some((name, argument)) if members.len() == 1 && is_intrinsic(name) => self.call(name, argument),
                _ => members.iter().map(|(name, member)| (name.clone(), self.resolve(member))).collect(),
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
        }
    }

    fn find(&self, section: &str, name: &str) -> &Value {
        find_member(find_member(&self.0, section), name)
    }

    fn call(&self, function: &str, argument: &Value) -> Value {
        match (function, argument.as_array().map(Vec::as_slice)) {
            ("Ref", _) => self.refer(&text(argument)),
            ("Condition", _) => self.resolve(self.find("Conditions", &text(argument))),
            ("Fn::GetAtt", _) => self.attribute(&text(argument)),
            ("Fn::Sub", Some([pattern, names])) => self.substitute(&text(pattern), &self.resolve(names)),
            ("Fn::Sub", _) => self.substitute(&text(argument), &Value::Null),
            ("Fn::If", Some([condition, then, otherwise])) => {
                let is_true = self.resolve(self.find("Conditions", &text(condition))) == true;
                self.resolve(if is_true { then } else { otherwise })
            }
            ("Fn::Join", Some([separator, parts])) => {
                let parts = self.resolve(parts);
                let parts: Vec<_> = parts.as_array().into_iter().flatten().map(text).collect();
                parts.join(&text(separator)).into()
            }
            ("Fn::Split", Some([separator, whole])) => {
                text(&self.resolve(whole)).split(text(separator).as_str()).collect()
            }
            ("Fn::Select", Some([index, list])) => {
                let index = index.as_u64().and_then(|index| usize::try_from(index).ok()).unwrap_or_default();
                self.resolve(list).get(index).cloned().unwrap_or_default()
            }
            ("Fn::Equals", Some([one, other])) => (self.resolve(one) == self.resolve(other)).into(),
            ("Fn::Not", Some([condition])) => (self.resolve(condition) != true).into(),
            ("Fn::And", Some(conditions)) => conditions.iter().all(|one| self.resolve(one) == true).into(),
            ("Fn::Or", Some(conditions)) => conditions.iter().any(|one| self.resolve(one) == true).into(),
            // Shows in a denial, since it is part of no ARN.
            _ => format!("unresolved {function}").into(),
        }
    }

    /// Returns a parameter's value, or what `!Ref` gives of a resource: the name of most, the ARN of a state machine.
    fn refer(&self, name: &str) -> Value {
        if name == "AWS::NoValue" {
            return Value::Null;
        }
        let given = FEATURES.iter().chain(&PSEUDO_PARAMETERS).find(|(feature, _)| *feature == name);
        if let Some((_, value)) = given {
            return (*value).into();
        }
        let resource = self.find("Resources", name);
        match find_member(resource, "Type").as_str() {
            None => find_member(self.find("Parameters", name), "Default").clone(),
            Some("AWS::S3::Bucket") => self.resolve(find_member(find_member(resource, "Properties"), "BucketName")),
            Some("AWS::Serverless::StateMachine") => arn(
                "states",
                &format!(
                    "stateMachine:{}",
                    text(&self.resolve(find_member(find_member(resource, "Properties"), "Name")))
                ),
            ),
            Some(_) => name.into(),
        }
    }

    fn attribute(&self, path: &str) -> Value {
        let (name, attribute) = path.split_once('.').unwrap_or((path, ""));
        match (find_member(self.find("Resources", name), "Type").as_str(), attribute) {
            (Some("AWS::DynamoDB::Table"), "Arn") => arn("dynamodb", &format!("table/{name}")),
            (Some("AWS::Cognito::UserPool"), "Arn") => arn("cognito-idp", &format!("userpool/{name}")),
            (Some("AWS::IAM::Role"), "Arn") => format!("arn:aws:iam::000000000000:role/{name}").into(),
            (Some("AWS::S3::Bucket"), "Arn") => format!("arn:aws:s3:::{}", text(&self.refer(name))).into(),
            _ => path.into(),
        }
    }

    /// Replaces each `${name}`; `names` are the values beside the template's own.
    fn substitute(&self, pattern: &str, names: &Value) -> Value {
        let mut parts = pattern.split("${");
        let mut whole = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').unwrap_or((part, ""));
            let value = match names.get(name) {
                Some(value) => value.clone(),
                None if name.contains('.') => self.attribute(name),
                None => self.refer(name),
            };
            whole.push_str(&text(&value));
            whole.push_str(rest);
        }
        whole.into()
    }
}

fn arn(service: &str, resource: &str) -> Value {
    format!("arn:aws:{service}:us-east-1:000000000000:{resource}").into()
}

fn is_intrinsic(name: &str) -> bool {
    name == "Ref" || name == "Condition" || name.starts_with("Fn::")
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Converts YAML to JSON. A tag becomes the long form of an intrinsic function.
fn to_json(yaml: yaml_serde::Value) -> Value {
    match yaml {
        yaml_serde::Value::Null => Value::Null,
        yaml_serde::Value::Bool(value) => value.into(),
        yaml_serde::Value::Number(number) => json!(number),
        yaml_serde::Value::String(text) => text.into(),
        yaml_serde::Value::Sequence(items) => items.into_iter().map(to_json).collect(),
        yaml_serde::Value::Mapping(members) => {
            let members = members.into_iter().map(|(name, member)| (text(&to_json(name)), to_json(member)));
            members.collect::<Map<_, _>>().into()
        }
        yaml_serde::Value::Tagged(tagged) => {
            let name = tagged.tag.to_string();
            let name = name.trim_start_matches('!');
            let name = if matches!(name, "Ref" | "Condition") { name.to_owned() } else { format!("Fn::{name}") };
            json!({ name: to_json(tagged.value) })
        }
    }
}
