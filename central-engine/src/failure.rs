//! Failures as problem documents (RFC 9457).

use actix_web::{
    HttpResponse, ResponseError,
    error::{JsonPayloadError, PathError, QueryPayloadError},
    http::{StatusCode, header},
};
use jackfield_protocol::error::{ErrorCode, Problem};

use crate::{blobs::BlobError, logs::LogError, run::delete::DeleteError, store::StoreError};

/// A problem on its way out.
#[derive(Clone, Debug)]
pub struct Failure(pub Problem);

impl Failure {
    pub(crate) fn new(code: ErrorCode, title: impl Into<String>) -> Self {
        Self(Problem::new(code, title))
    }

    pub(crate) fn not_found(what: impl std::fmt::Display) -> Self {
        Self::new(ErrorCode::NotFound, format!("there is no {what}"))
    }

    pub(crate) fn field(self, field: &str) -> Self {
        Self(self.0.field(field))
    }

    pub(crate) fn from_json(error: &JsonPayloadError, bytes_max: usize) -> Self {
        if matches!(error, JsonPayloadError::OverflowKnownLength { .. } | JsonPayloadError::Overflow { .. }) {
            return Self::new(ErrorCode::TooLarge, format!("the request is larger than {bytes_max} bytes"));
        }
        if matches!(error, JsonPayloadError::ContentType) {
            return Self::new(ErrorCode::BadRequest, "send JSON, with `Content-Type: application/json`");
        }
        Self::new(ErrorCode::BadRequest, format!("the request cannot be read: {error}"))
    }

    pub(crate) fn from_query(error: &QueryPayloadError) -> Self {
        Self::new(ErrorCode::BadRequest, format!("the address cannot be read: {error}"))
    }

    pub(crate) fn from_path(error: &PathError) -> Self {
        Self::new(ErrorCode::NotFound, format!("there is nothing at this address: {error}"))
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Failure {}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// A failure becomes an answer once, so this is where the log is told what the answer keeps back.
    fn error_response(&self) -> HttpResponse {
        if let Some(cause) = &self.0.cause {
            tracing::error!(http.status = self.0.status, "a request could not be answered: {cause}");
        }
        let mut response = HttpResponse::build(self.status_code());
        if self.0.code == ErrorCode::Unauthenticated {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        let body = serde_json::to_string(&self.0).unwrap_or_default();
        response.content_type("application/problem+json").body(body)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self(error.into())
    }
}

impl From<DeleteError> for Failure {
    fn from(error: DeleteError) -> Self {
        match error {
            DeleteError::Store(error) => error.into(),
            DeleteError::Logs(error) => error.into(),
        }
    }
}

impl From<LogError> for Failure {
    fn from(error: LogError) -> Self {
        Self(error.into())
    }
}

impl From<BlobError> for Failure {
    fn from(error: BlobError) -> Self {
        Self(error.into())
    }
}

/// Whatever no route takes.
pub(crate) async fn no_such_address() -> Result<HttpResponse, Failure> {
    std::future::ready(Err(Failure::new(
        ErrorCode::NotFound,
        "there is nothing at this address; see /api/openapi.json",
    )))
    .await
}

#[cfg(test)]
mod tests {
    use actix_web::body::MessageBody as _;

    use super::*;

    #[test]
    fn what_a_database_says_is_for_the_log_alone() {
        let failure = Failure::from(StoreError::from(sqlx::Error::Protocol("secret words".to_owned())));
        assert!(failure.0.cause.as_deref().unwrap().contains("secret words"));
        let answer = failure.error_response();
        assert_eq!(answer.status(), StatusCode::INSUFFICIENT_STORAGE);
        let body = answer.into_body().try_into_bytes().unwrap();
        assert!(!String::from_utf8_lossy(&body).contains("secret words"));
    }
}
