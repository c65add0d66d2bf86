//! Cursors: where a list goes on, sealed, so that nobody can make one up or use one elsewhere than it was given.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{Error, Time};
use serde::{Deserialize, Serialize};

use crate::App;
use crate::keyring::Purpose;

/// How long a cursor is good.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// What a cursor says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    /// The row that the window is beside.
    pub(crate) row: String,
    /// Whether the window ends before the row instead of beginning after it.
    pub(crate) before: bool,
    /// The window's number, if all windows had been of this size.
    pub(crate) number: u64,
    /// How many rows it has.
    pub(crate) size: u32,
    /// The list's total, and whether it was capped: it is counted once.
    pub(crate) total: Option<(u64, bool)>,
    expires_at: i64,
}

impl Cursor {
    /// A window with this number and size, and the list's total.
    pub(crate) fn new(row: String, before: bool, (number, size): (u64, u32), total: (u64, bool)) -> Self {
        let total = Some(total);
        Self { row, before, number, size, total, expires_at: Time::now().plus(LIFETIME).seconds() }
    }

    /// The cursor as clients carry it; `context` is caller, path, filters and sort.
    pub(crate) async fn write(&self, app: &App, context: &str) -> Result<String, Error> {
        let text = serde_json::to_vec(self).map_err(Error::internal)?;
        Ok(URL_SAFE_NO_PAD.encode(app.keyring.seal(PURPOSE, &text, context).await?))
    }

    /// The cursor that a client brought back; `None` if it is not ours, not for this list, or too old.
    pub(crate) async fn read(app: &App, text: &str, context: &str) -> Result<Option<Self>, Error> {
        let Ok(sealed) = URL_SAFE_NO_PAD.decode(text) else { return Ok(None) };
        let opened = app.keyring.open(PURPOSE, &sealed, context).await?;
        let cursor: Option<Self> = opened.and_then(|text| serde_json::from_slice(&text).ok());
        Ok(cursor.filter(|cursor| cursor.expires_at > Time::now().seconds()))
    }
}

/// What the deployment's secret is derived for.
const PURPOSE: Purpose = Purpose { name: "cursor", lifetime: Some(LIFETIME) };
