//! `?force=true`: to make a change that leaves members with answers that no longer hold.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use domain::Error;
use store::Affected;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::Failure;
use crate::query::{Query, error};

/// Whether a change is to be made whatever it does to members.
#[derive(Debug, Clone, Copy)]
pub struct Force(bool);

impl Force {
    /// To make the change whatever it does.
    pub const YES: Self = Self(true);

    /// Refuses a change that affects members, with their number, unless it is forced.
    ///
    /// # Errors
    /// [`Error::Conflict`].
    pub fn allows(self, affected: Affected) -> Result<(), Error> {
        let Affected { members, is_final } = affected;
        let count = if members == 1 { "1 member".to_owned() } else { format!("{members} members") };
        if is_final {
            let message = format!("{count} have answered the field already, maybe alike; it cannot become unique.");
            return Err(Error::conflict("/unique", "affects_members", &message));
        }
        if self.0 || members == 0 {
            return Ok(());
        }
        let message =
            format!("Answers of {count} would be missing or no longer hold; repeat with ?force=true if so be it.");
        Err(Error::conflict("", "affects_members", &message))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Force {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let (mut query, mut errors) = (Query::of(&parts.uri), Vec::new());
        let force = match query.take("force", &mut errors).as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => {
                errors.push(error("force", "invalid_choice", "must be true or false"));
                false
            }
        };
        query.finish("force", errors)?;
        Ok(Self(force))
    }
}

impl IntoParams for Force {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let switch = ObjectBuilder::new().schema_type(Type::Boolean).default(Some(serde_json::json!(false)));
        let parameter = ParameterBuilder::new().name("force").parameter_in(ParameterIn::Query).schema(Some(switch));
        vec![
            parameter
                .description(Some(
                    "If true, make the change even if answers of members become invalid. Default `false`.",
                ))
                .build(),
        ]
    }
}
