//! Shapes that several nouns share: pages of lists, ranges of bytes, versions of what is edited.

use std::pin::Pin;

use actix_web::{Error, FromRequest, HttpRequest, dev::Payload, error::JsonPayloadError, http::header, web};
use jackfield_protocol::error::ErrorCode;
use serde::{Deserialize, de::DeserializeOwned};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{app::App, failure::Failure, limits};

/// How JSON of at most so many bytes is read.
pub(super) fn json(bytes_max: usize) -> web::JsonConfig {
    let refuse = move |error: JsonPayloadError, _: &HttpRequest| Failure::from_json(&error, bytes_max).into();
    web::JsonConfig::default().limit(bytes_max).error_handler(refuse)
}

/// Places for large bodies, from before the first byte until they are dealt with.
static LARGE: Semaphore = Semaphore::const_new(limits::LARGE_BODIES_MAX);

/// JSON that may be large: only a few such are in memory at once, the others wait before anything of them is read.
pub(super) struct Large<T> {
    value: T,
    place: Option<SemaphorePermit<'static>>,
}

impl<T> Large<T> {
    /// What came, and the place it takes until it is dealt with.
    pub(super) fn into_parts(self) -> (T, Option<SemaphorePermit<'static>>) {
        (self.value, self.place)
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Large<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        let length = request
            .headers()
            .get(header::CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse().ok());
        let is_small = length.is_some_and(|length: usize| length <= limits::JSON_BYTES_MAX);
        Box::pin(async move {
            // Nobody closes it.
            let place = if is_small { None } else { LARGE.acquire().await.ok() };
            let value = web::Json::<T>::from_request(&request, &mut payload).await?.into_inner();
            Ok(Self { value, place })
        })
    }
}

/// Whether the text of a project is not larger than the lab wants it.
pub(super) fn check_project(app: &App, xml: Option<&str>) -> Result<(), Failure> {
    let (bytes, most) = (xml.map_or(0, str::len), app.limits.project_bytes);
    if u64::try_from(bytes).is_ok_and(|bytes| bytes <= most) {
        return Ok(());
    }
    let title = format!("the project has {bytes} bytes, and `limits.project` of engine.toml is {most}");
    Err(Failure::new(ErrorCode::TooLarge, title).field("xml"))
}

/// Which page of a list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// What the page before gave as `next`.
    pub(super) after: Option<String>,
    /// How many items; at most 1,000.
    pub(super) limit: Option<u32>,
}

impl PageQuery {
    pub(super) fn limit(&self) -> u32 {
        self.limit.unwrap_or(limits::PAGE_DEFAULT).clamp(1, limits::PAGE_MAX)
    }

    /// The place after which to go on, as the kind of number the list counts with.
    pub(super) fn after<T: std::str::FromStr>(&self) -> Result<Option<T>, Failure> {
        let parse = |text: &String| {
            text.parse().ok().ok_or_else(|| {
                let title = format!("`{text}` is no place in this list; pass the `next` of the page before");
                Failure::new(ErrorCode::BadRequest, title).field("after")
            })
        };
        self.after.as_ref().map(parse).transpose()
    }
}

/// The version a client saw of what it wants to change.
pub(super) fn if_match(request: &HttpRequest) -> Result<Option<u64>, Failure> {
    let Some(value) = request.headers().get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim().trim_matches('"');
    if text == "*" {
        return Ok(None);
    }
    text.parse().map(Some).ok().ok_or_else(|| {
        let title = "If-Match must be the version that was read, in quotes";
        Failure::new(ErrorCode::BadRequest, title).field("If-Match")
    })
}

/// The bytes a client asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of them.
    All,
    /// From a place, up to and without another.
    Range(u64, u64),
    /// The range begins after the end.
    Beyond,
}

/// Reads `Range: bytes=…`; what it does not understand means all, as RFC 9110 says.
pub(super) fn range(request: &HttpRequest, size: u64) -> Wanted {
    let value = request.headers().get(header::RANGE).and_then(|value| value.to_str().ok());
    let Some((from, to)) = value.and_then(|value| value.strip_prefix("bytes=")?.split_once('-')) else {
        return Wanted::All;
    };
    let (from, to) = (from.trim(), to.trim());
    let (start, end) = match (from.parse::<u64>(), to.parse::<u64>()) {
        (Ok(from), Ok(last)) if last >= from => (from, last.saturating_add(1).min(size)),
        (Ok(from), Err(_)) if to.is_empty() => (from, size),
        (Err(_), Ok(length)) if from.is_empty() && length > 0 => (size.saturating_sub(length), size),
        _ => return Wanted::All,
    };
    if start >= size { Wanted::Beyond } else { Wanted::Range(start, end) }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        let wanted = |value: &'static str| {
            range(&TestRequest::get().insert_header((header::RANGE, value)).to_http_request(), 100)
        };
        assert_eq!(wanted("bytes=0-9"), Wanted::Range(0, 10));
        assert_eq!(wanted("bytes=90-"), Wanted::Range(90, 100));
        assert_eq!(wanted("bytes=90-900"), Wanted::Range(90, 100));
        assert_eq!(wanted("bytes=-5"), Wanted::Range(95, 100));
        assert_eq!(wanted("bytes=-500"), Wanted::Range(0, 100));
        assert_eq!(wanted("bytes=100-"), Wanted::Beyond);
        for all in ["bytes=9-3", "lines=1-2", "bytes=x-y", "bytes=0-1,5-6", "bytes=-0"] {
            assert_eq!(wanted(all), Wanted::All, "{all}");
        }
    }
}
