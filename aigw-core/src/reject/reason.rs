use std::fmt;

use http::StatusCode;

use crate::outcome::Fault;

/// Why a call was refused, or could not be served.
///
/// Decides the default [status](Self::status), the default [code](Self::code) and whether a
/// [retry can help](Self::is_final). All three can be overridden on the
/// [`Refusal`](super::Refusal).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// No key, or one that nobody holds. 401 `invalid_api_key`.
    InvalidApiKey,
    /// The consumer is known and may not do this. 403 `forbidden`.
    Forbidden,
    /// The request body is above a size limit. 413 `request_too_large`.
    BodyTooLarge,
    /// The request body is not JSON. 400 `invalid_json`.
    InvalidJson,
    /// The request body is JSON that cannot be understood: a deciding key that stands twice or has
    /// the wrong type. 400 `invalid_request`.
    InvalidRequest,
    /// The operation needs a model, and none is named. 400 `missing_required_parameter`, which is
    /// OpenAI's code for it.
    MissingModel,
    /// The content type is not one that the operation takes. 415 `unsupported_media_type`.
    UnsupportedMediaType,
    /// The request body is encoded, and we must read it. 415 `unsupported_encoding`.
    UnsupportedEncoding,
    /// The request body took too long to arrive. 408 `request_timeout`.
    RequestTimeout,
    /// Our own buffers are full. 503 `overloaded`.
    Overloaded,
    /// No such model here. 404 `model_not_found`.
    UnknownModel,
    /// The operation is not served. 400 `operation_not_supported`, which Azure spells
    /// `OperationNotSupported`.
    OperationNotSupported,
    /// The path exists, but not for this method. 405 `method_not_allowed`. RFC 9110 asks for an
    /// `allow` header, which whoever knows the methods adds.
    MethodNotAllowed,
    /// The request asks to become another protocol, such as a WebSocket. 501
    /// `upgrade_not_supported`: it is the server that lacks the function (RFC 9110, section
    /// 15.6.2), whereas a 426 would demand an upgrade and a 400 would blame the caller.
    UpgradeNotSupported,
    /// Too much in too short a time. 429 `rate_limit_exceeded`.
    RateLimit,
    /// The allowance of the period is spent. 429 `insufficient_quota`.
    Quota,
    /// The request is greater than a limit will ever admit. 400 `request_exceeds_limit`.
    NeverFits,
    /// The content was refused. 400 `content_filter`.
    ContentFilter,
    /// Every backend that could serve the call asks to wait. 429 `rate_limit_exceeded`.
    Throttled,
    /// No backend can serve the call now. 503 `service_unavailable`.
    Unavailable,
    /// Whoever runs the gateway has it answer so, with this status. `configured`, unless there is a
    /// code as well.
    Configured(StatusCode),
    /// A backend failed below HTTP or in time. 502 `upstream_error` or 504 `upstream_timeout`,
    /// after the fault.
    Upstream(Fault),
}

impl Reason {
    /// The name in snake case, as logs and metrics spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidApiKey => "invalid_api_key",
            Self::Forbidden => "forbidden",
            Self::BodyTooLarge => "body_too_large",
            Self::InvalidJson => "invalid_json",
            Self::InvalidRequest => "invalid_request",
            Self::MissingModel => "missing_model",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::UnsupportedEncoding => "unsupported_encoding",
            Self::RequestTimeout => "request_timeout",
            Self::Overloaded => "overloaded",
            Self::UnknownModel => "unknown_model",
            Self::OperationNotSupported => "operation_not_supported",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::UpgradeNotSupported => "upgrade_not_supported",
            Self::RateLimit => "rate_limit",
            Self::Quota => "quota",
            Self::NeverFits => "never_fits",
            Self::ContentFilter => "content_filter",
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::Configured(_) => "configured",
            Self::Upstream(_) => "upstream",
        }
    }

    /// The status that states this reason unless the refusal says otherwise.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::InvalidApiKey => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::InvalidJson
            | Self::InvalidRequest
            | Self::MissingModel
            | Self::OperationNotSupported
            | Self::NeverFits
            | Self::ContentFilter => StatusCode::BAD_REQUEST,
            Self::UnsupportedMediaType | Self::UnsupportedEncoding => {
                StatusCode::UNSUPPORTED_MEDIA_TYPE
            }
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::UnknownModel => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::UpgradeNotSupported => StatusCode::NOT_IMPLEMENTED,
            Self::RateLimit | Self::Quota | Self::Throttled => StatusCode::TOO_MANY_REQUESTS,
            Self::Overloaded | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Configured(status) => status,
            Self::Upstream(fault) => fault.status(),
        }
    }

    /// The machine-readable code that states this reason unless the refusal says otherwise.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::BodyTooLarge => "request_too_large",
            Self::MissingModel => "missing_required_parameter",
            Self::UnknownModel => "model_not_found",
            Self::RateLimit | Self::Throttled => "rate_limit_exceeded",
            Self::Quota => "insufficient_quota",
            Self::NeverFits => "request_exceeds_limit",
            Self::Unavailable => "service_unavailable",
            Self::Upstream(fault) if fault.kind.is_timeout() => "upstream_timeout",
            Self::Upstream(_) => "upstream_error",
            _ => self.as_str(),
        }
    }

    /// Whether the same request would be refused again however long the caller waits, or for
    /// longer than any client waits: a spent quota. Such a refusal says `x-should-retry: false`.
    #[must_use]
    pub const fn is_final(self) -> bool {
        match self {
            Self::RequestTimeout
            | Self::Overloaded
            | Self::RateLimit
            | Self::Throttled
            | Self::Unavailable
            | Self::Upstream(_) => false,
            Self::Configured(status) => !matches!(status.as_u16(), 408 | 409 | 429 | 500..),
            _ => true,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
