//! User pools: what is set on them, `CreateUserPool` and `DescribeUserPool`.

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Cognito;
use crate::error::Failure;
use crate::input::Input;
use crate::password::Policy;
use crate::random;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Pool {
    pub(crate) id: String,
    name: String,
    pub(crate) created: i64,
    pub(crate) policy: Policy,
    pub(crate) verifies_email: bool,
    pub(crate) admin_create_only: bool,
    /// With their prefix, `custom:…`.
    pub(crate) custom_attributes: Vec<String>,
    pub(crate) required_attributes: Vec<String>,
    /// Whether a user's own new e-mail address waits for a code that is sent to it.
    #[serde(default)]
    pub(crate) proves_new_email: bool,
    pub(crate) lambda_config: Value,
}

impl Pool {
    /// The pool that Muster's template makes.
    pub(crate) fn muster(id: &str, created: i64) -> Self {
        Self {
            id: id.to_owned(),
            name: "muster".to_owned(),
            created,
            policy: Policy::of_length(6),
            verifies_email: true,
            admin_create_only: false,
            custom_attributes: vec!["custom:segment_id".to_owned()],
            required_attributes: Vec::new(),
            proves_new_email: true,
            lambda_config: json!({ "PreTokenGeneration": "challenge" }),
        }
    }

    /// Whether a function is asked before each token is written.
    pub(crate) fn customizes_tokens(&self) -> bool {
        self.lambda_config.get("PreTokenGeneration").is_some_and(Value::is_string)
    }

    fn parse(id: String, created: i64, input: &Input) -> Result<Self, Failure> {
        refuse_unsupported(input)?;
        let mut pool = Self {
            id,
            name: input.text("PoolName")?.to_owned(),
            created,
            policy: Policy::parse(&input.section("Policies")?.section("PasswordPolicy")?)?,
            verifies_email: false,
            admin_create_only: input.section("AdminCreateUserConfig")?.flag("AllowAdminCreateUserOnly")?,
            custom_attributes: Vec::new(),
            required_attributes: Vec::new(),
            proves_new_email: input
                .section("UserAttributeUpdateSettings")?
                .texts("AttributesRequireVerificationBeforeUpdate")?
                .is_some_and(|names| names.iter().any(|name| name == "email")),
            lambda_config: input.text_map("LambdaConfig")?.unwrap_or_else(|| json!({})),
        };
        for attribute in input.texts("AutoVerifiedAttributes")?.unwrap_or_default() {
            if attribute != "email" {
                return Err(Failure::unsupported("AutoVerifiedAttributes other than email"));
            }
            pool.verifies_email = true;
        }
        for attribute in input.list("Schema")?.unwrap_or_default() {
            pool.add_to_schema(&Input::parse(attribute.to_string().as_bytes())?)?;
        }
        Ok(pool)
    }

    fn add_to_schema(&mut self, attribute: &Input) -> Result<(), Failure> {
        let name = attribute.text("Name")?;
        let name = if crate::attributes::is_standard(name) { name.to_owned() } else { format!("custom:{name}") };
        if attribute.flag("Required")? {
            self.required_attributes.push(name.clone());
        }
        if name.starts_with("custom:") {
            self.custom_attributes.push(name);
        }
        Ok(())
    }

    pub(crate) fn find(data: &Connection, id: &str) -> Result<Option<Self>, Failure> {
        let found: Option<String> =
            data.query_row("SELECT settings FROM pools WHERE id = ?1", [id], |row| row.get(0)).optional()?;
        Ok(found.map(|settings| serde_json::from_str(&settings)).transpose()?)
    }

    pub(crate) fn known(data: &Connection, id: &str) -> Result<Self, Failure> {
        Self::find(data, id)?.ok_or_else(|| Failure::ResourceNotFound(format!("User pool {id} does not exist.")))
    }

    /// Makes it, or gives an existing one these settings.
    pub(crate) fn put(&self, data: &Connection) -> Result<(), Failure> {
        let sql = "INSERT INTO pools (id, settings) VALUES (?1, ?2)
                   ON CONFLICT (id) DO UPDATE SET settings = excluded.settings";
        data.execute(sql, params![self.id, serde_json::to_string(self)?])?;
        Ok(())
    }

    fn describe(&self, region: &str, users: i64) -> Value {
        json!({
            "Id": self.id,
            "Name": self.name,
            "Arn": format!("arn:aws:cognito-idp:{region}:000000000000:userpool/{}", self.id),
            "Policies": { "PasswordPolicy": self.policy.describe() },
            "AutoVerifiedAttributes": if self.verifies_email { vec!["email"] } else { vec![] },
            "AdminCreateUserConfig": { "AllowAdminCreateUserOnly": self.admin_create_only },
            "UsernameConfiguration": { "CaseSensitive": true },
            "MfaConfiguration": "OFF",
            "UserAttributeUpdateSettings": {
                "AttributesRequireVerificationBeforeUpdate":
                    if self.proves_new_email { vec!["email"] } else { vec![] },
            },
            "LambdaConfig": self.lambda_config,
            "CreationDate": self.created,
            "LastModifiedDate": self.created,
            "EstimatedNumberOfUsers": users,
        })
    }
}

fn refuse_unsupported(input: &Input) -> Result<(), Failure> {
    for setting in ["AliasAttributes", "UsernameAttributes"] {
        if input.list(setting)?.is_some_and(|list| !list.is_empty()) {
            return Err(Failure::unsupported(setting));
        }
    }
    if input.optional_text("MfaConfiguration")?.is_some_and(|mfa| mfa != "OFF") {
        return Err(Failure::unsupported("MfaConfiguration other than OFF"));
    }
    if input.section("UsernameConfiguration")?.optional_flag("CaseSensitive")? == Some(false) {
        return Err(Failure::unsupported("UsernameConfiguration without CaseSensitive"));
    }
    Ok(())
}

pub(crate) async fn create_user_pool(cognito: Cognito, input: Input) -> Result<Value, Failure> {
    let region = &cognito.options().region;
    let letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let id = format!("{region}_{}", random::text(9, letters)?);
    let pool = Pool::parse(id, cognito.now(), &input)?;
    cognito.storage().write(|data| pool.put(data))?;
    Ok(json!({ "UserPool": pool.describe(region, 0) }))
}

pub(crate) async fn describe_user_pool(cognito: Cognito, input: Input) -> Result<Value, Failure> {
    let id = input.text("UserPoolId")?;
    let (pool, users) = cognito.storage().read(|data| {
        let users = data.query_row("SELECT count(*) FROM users WHERE pool = ?1", [id], |row| row.get(0))?;
        Ok((Pool::known(data, id)?, users))
    })?;
    Ok(json!({ "UserPool": pool.describe(&cognito.options().region, users) }))
}
