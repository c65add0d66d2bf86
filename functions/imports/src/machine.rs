//! What does imports and exports.

use aws_sdk_sfn::Client;
use aws_sdk_sfn::error::ProvideErrorMetadata as _;
use domain::{Error, SegmentId};
use serde_json::json;
use uuid::Uuid;

/// What does imports and exports once they are there.
#[derive(Debug, Clone)]
pub enum Machine {
    /// A state machine of Step Functions, which has to be started.
    StepFunctions {
        /// The client that reaches it.
        client: Client,
        /// Its ARN.
        arn: String,
    },
    /// Somebody who looks for what is there to be done.
    Looks,
}

impl Machine {
    /// Starts an import or export, once however often it is started.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; whoever looks later starts it.
    pub async fn start(&self, kind: &str, segment: SegmentId, id: Uuid) -> Result<(), Error> {
        let Self::StepFunctions { client, arn } = self else { return Ok(()) };
        let input = json!({ "kind": kind, "segment_id": segment.to_string(), "id": id.to_string() }).to_string();
        let execution = client.start_execution().state_machine_arn(arn).name(id.to_string()).input(input);
        match execution.send().await {
            Ok(_) => Ok(()),
            // An earlier try has started it.
            Err(failure) if failure.code() == Some("ExecutionAlreadyExists") => Ok(()),
            Err(failure) => Err(Error::Unavailable(failure.into())),
        }
    }
}
