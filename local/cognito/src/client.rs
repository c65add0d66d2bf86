//! App clients: which flows they may use and how long their tokens live.

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Cognito;
use crate::error::Failure;
use crate::input::{Input, outside};
use crate::pool::Pool;
use crate::random;
use crate::validity::{DAY, HOUR, MINUTE, Unit, Validity};

const FLOWS: [&str; 6] = [
    "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "ALLOW_CUSTOM_AUTH",
    "ALLOW_REFRESH_TOKEN_AUTH",
    "ALLOW_USER_AUTH",
    "ALLOW_USER_PASSWORD_AUTH",
    "ALLOW_USER_SRP_AUTH",
];

/// What ids and secrets are made of.
const LETTERS: &str = "0123456789abcdefghijklmnopqrstuvwxyz";

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) pool: String,
    name: String,
    #[serde(default)]
    pub(crate) secret: Option<String>,
    pub(crate) created: i64,
    /// With their prefix, `ALLOW_…`.
    flows: Vec<String>,
    access: Validity,
    id_token: Validity,
    refresh: Validity,
    session_minutes: i64,
    /// `PreventUserExistenceErrors`: no answer tells whether a user exists.
    pub(crate) discreet: bool,
}

impl Client {
    /// The client that Muster's template makes.
    pub(crate) fn muster(id: &str, pool: &str, secret: Option<&str>, created: i64) -> Self {
        let flows = ["ADMIN_USER_PASSWORD", "CUSTOM", "REFRESH_TOKEN", "USER_PASSWORD"];
        Self {
            id: id.to_owned(),
            pool: pool.to_owned(),
            name: "muster".to_owned(),
            secret: secret.map(str::to_owned),
            created,
            flows: flows.map(|flow| format!("ALLOW_{flow}_AUTH")).to_vec(),
            access: Validity::new(60, Unit::Minutes),
            id_token: Validity::new(60, Unit::Minutes),
            refresh: Validity::new(30, Unit::Days),
            session_minutes: 3,
            discreet: true,
        }
    }

    fn parse(id: String, created: i64, input: &Input) -> Result<Self, Failure> {
        refuse_unsupported(input)?;
        let hour = Validity::new(1, Unit::Hours);
        let month = Validity::new(30, Unit::Days);
        let discreet = input.choice("PreventUserExistenceErrors", &["LEGACY", "ENABLED"])?;
        Ok(Self {
            id,
            pool: input.text("UserPoolId")?.to_owned(),
            name: input.text("ClientName")?.to_owned(),
            secret: if input.flag("GenerateSecret")? { Some(random::text(52, LETTERS)?) } else { None },
            created,
            flows: parse_flows(input)?,
            access: Validity::parse(input, "AccessToken", hour.clone(), (5 * MINUTE, DAY))?,
            id_token: Validity::parse(input, "IdToken", hour, (5 * MINUTE, DAY))?,
            refresh: Validity::parse(input, "RefreshToken", month, (HOUR, 3650 * DAY))?,
            session_minutes: input.number("AuthSessionValidity", 3..=15)?.unwrap_or(3),
            discreet: discreet == Some("ENABLED"),
        })
    }

    /// Whether `flow`, such as `CUSTOM_AUTH`, may be used.
    pub(crate) fn allow(&self, flow: &str) -> Result<(), Failure> {
        if self.flows.iter().any(|allowed| allowed.strip_prefix("ALLOW_") == Some(flow)) {
            Ok(())
        } else {
            Err(Failure::invalid(format!("{flow} flow not enabled for this client")))
        }
    }

    pub(crate) fn access_seconds(&self) -> i64 {
        self.access.seconds()
    }

    pub(crate) fn id_seconds(&self) -> i64 {
        self.id_token.seconds()
    }

    pub(crate) fn refresh_seconds(&self) -> i64 {
        self.refresh.seconds()
    }

    pub(crate) fn session_seconds(&self) -> i64 {
        self.session_minutes * MINUTE
    }

    pub(crate) fn find(data: &Connection, id: &str) -> Result<Option<Self>, Failure> {
        let found: Option<String> =
            data.query_row("SELECT settings FROM clients WHERE id = ?1", [id], |row| row.get(0)).optional()?;
        Ok(found.map(|settings| serde_json::from_str(&settings)).transpose()?)
    }

    /// The client that `ClientId` names; of `UserPoolId`, where the operation names a pool.
    pub(crate) fn of(cognito: &Cognito, input: &Input) -> Result<Self, Failure> {
        let id = input.text("ClientId")?;
        let pool = input.optional_text("UserPoolId")?;
        cognito.storage().read(|data| {
            if let Some(pool) = pool {
                Pool::known(data, pool)?;
            }
            Self::find(data, id)?
                .filter(|client| pool.is_none_or(|pool| pool == client.pool))
                .ok_or_else(|| Failure::ResourceNotFound(format!("User pool client {id} does not exist.")))
        })
    }

    /// Makes it, or gives an existing one these settings.
    pub(crate) fn put(&self, data: &Connection) -> Result<(), Failure> {
        let sql = "INSERT INTO clients (id, pool, settings) VALUES (?1, ?2, ?3)
                   ON CONFLICT (id) DO UPDATE SET settings = excluded.settings";
        data.execute(sql, params![self.id, self.pool, serde_json::to_string(self)?])?;
        Ok(())
    }

    fn describe(&self) -> Value {
        json!({
            "ClientId": self.id,
            "UserPoolId": self.pool,
            "ClientName": self.name,
            "ClientSecret": self.secret,
            "ExplicitAuthFlows": self.flows,
            "AccessTokenValidity": self.access.amount,
            "IdTokenValidity": self.id_token.amount,
            "RefreshTokenValidity": self.refresh.amount,
            "TokenValidityUnits": {
                "AccessToken": self.access.unit,
                "IdToken": self.id_token.unit,
                "RefreshToken": self.refresh.unit,
            },
            "AuthSessionValidity": self.session_minutes,
            "PreventUserExistenceErrors": if self.discreet { "ENABLED" } else { "LEGACY" },
            "EnableTokenRevocation": true,
            "AllowedOAuthFlowsUserPoolClient": false,
            "CreationDate": self.created,
            "LastModifiedDate": self.created,
        })
    }
}

fn parse_flows(input: &Input) -> Result<Vec<String>, Failure> {
    let Some(flows) = input.texts("ExplicitAuthFlows")?.filter(|flows| !flows.is_empty()) else {
        let default = ["ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"];
        return Ok(default.map(str::to_owned).to_vec());
    };
    match flows.iter().find(|flow| !FLOWS.contains(&flow.as_str())) {
        None => Ok(flows),
        Some(other) => Err(outside("ExplicitAuthFlows", other, &FLOWS)),
    }
}

fn refuse_unsupported(input: &Input) -> Result<(), Failure> {
    if input.optional_flag("EnableTokenRevocation")? == Some(false) {
        return Err(Failure::unsupported("EnableTokenRevocation=false"));
    }
    if input.section("RefreshTokenRotation")?.optional_text("Feature")? == Some("ENABLED") {
        return Err(Failure::unsupported("RefreshTokenRotation"));
    }
    Ok(())
}

pub(crate) async fn create_user_pool_client(cognito: Cognito, input: Input) -> Result<Value, Failure> {
    let id = random::text(26, LETTERS)?;
    let client = Client::parse(id, cognito.now(), &input)?;
    cognito.storage().write(|data| {
        Pool::known(data, &client.pool)?;
        client.put(data)
    })?;
    Ok(json!({ "UserPoolClient": client.describe() }))
}

pub(crate) async fn describe_user_pool_client(cognito: Cognito, input: Input) -> Result<Value, Failure> {
    input.text("UserPoolId")?;
    Ok(json!({ "UserPoolClient": Client::of(&cognito, &input)?.describe() }))
}
