//! The HTTP edge: every convention of the API, once.
//!
//! A handler takes a [`Caller`] (without it, it is public on purpose), its path by [`Path`], its body by [`Body`] and
//! answers one of [`Shown`], [`Created`], [`Listed`], [`Found`] or [`NoContent`]; all else happens here.

mod access;
mod answer;
mod app;
mod base;
mod body;
mod caller;
mod coding;
mod cors;
mod credential;
mod cursor;
mod deadline;
mod developer;
mod dialect;
mod failure;
mod filter;
mod force;
mod form;
mod gateway;
mod homes;
mod hook;
mod idempotency;
mod key;
mod keyring;
mod lenient_body;
mod limit;
mod list;
mod media_type;
mod metrics;
mod minimum;
mod minted;
pub mod openapi;
mod path;
mod payload;
mod precondition;
mod proxy;
mod query;
mod refresh_token;
pub mod scopes;
mod seal;
mod secure;
mod seed;
mod serve;
mod source;
mod tries;
mod visitor;
mod wrap;

pub use access::{Access, Owner};
pub use answer::{Accepted, Begun, BegunAt, Created, Found, Listed, NoContent, Rendered, RowResults, Shown};
pub use app::{
    App, Clients, DeveloperRegistration, EXPORT_RETENTION_DAYS, FUNCTION_TIMEOUT, PushApplications, PushSchedules,
    Settings, SignUpMode,
};
pub use base::Base;
pub use body::{Body, BodyLimit, Draft, FromJson, JsonOrForm, MaybeBody, OneOrMany, Patch};
pub use caller::{Anybody, Caller, Session, Subject, check_use};
pub use coding::{CompressedForms, mark_compressible};
pub use cors::Origins;
pub use credential::IssuedToken;
pub use developer::ByDeveloper;
pub use dialect::{Dialect, TextId, TextIds, set_address};
pub use failure::{Answer, Failure, FieldProblem, Problem};
pub use filter::{FilterKind, filter_values};
pub use force::Force;
pub use gateway::{BasePath, GatewayContext, GatewayHttp, GatewayRequest, GatewayResponse, Invocation, respond};
pub use hook::HookSecret;
pub use key::{KeySecret, LinkToken, UndoToken};
pub use keyring::Keyring;
pub use lenient_body::LenientBody;
pub use limit::Limits;
pub use list::{DELETED, List, ListOption, ListSpec, filters_of};
pub use metrics::{Dimension, RequestMetrics};
pub use path::{Path, UserRef};
pub use precondition::{IfMatch, IfNoneMatch};
pub use proxy::ProxySecrets;
pub use query::Query;
pub use refresh_token::RefreshToken;
pub use seal::{one_time_secret, random_code};
pub use secure::secure;
pub use seed::Seed;
pub use serve::{RunError, Start, init_logs, run, serve};
pub use source::TrustedProxyHops;
pub use store::{Tries, retried};
pub use visitor::{Account, Attempt, Visitor};
pub use wrap::{RequestId, wrap};
