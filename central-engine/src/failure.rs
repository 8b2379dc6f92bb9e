//! Failures as problem documents (RFC 9457).

use actix_web::{
    HttpResponse, ResponseError,
    error::{JsonPayloadError, PathError, QueryPayloadError},
    http::{StatusCode, header},
};
use jackfield_protocol::error::{ErrorCode, Problem};

use crate::{blobs::BlobError, logs::LogError, store::StoreError};

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

    fn error_response(&self) -> HttpResponse {
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
