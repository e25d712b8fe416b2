use aigw_core::dialect::{Dialect, Target};

/// What a path asks for, without where the caller's gateway is mounted: `chat/completions`,
/// `files/f-1`, `models/g:countTokens`.
///
/// Borrowed from the path, so every escape stands as the caller wrote it. `None` where the path has
/// nothing after its mount.
pub(super) fn of<'p>(target: &Target, path: &'p str) -> Option<&'p str> {
    let resource = match target.dialect() {
        Dialect::AzureOpenAi if target.path_model().is_some() => {
            after(path, "/openai/deployments/")
                .and_then(|rest| rest.split_once('/'))
                .map(|(_, rest)| rest)
        }
        Dialect::AzureOpenAi => after(path, "/openai/v1/").or_else(|| after(path, "/openai/")),
        Dialect::AzureAi => after(path, "/models/"),
        Dialect::Gemini => path
            .rfind("/models/")
            .map(|at| at + 1)
            .and_then(|at| path.get(at..))
            .or_else(|| after_version(path)),
        _ => after(path, "/openai/")
            .filter(|_| path.contains("/v1beta/openai/"))
            .or_else(|| after_version(path))
            .or_else(|| path.strip_prefix('/')),
    };
    resource.filter(|resource| !resource.is_empty())
}

/// The version segment of a Gemini path.
pub(super) fn gemini_version(path: &str) -> &str {
    path.split('/')
        .find(|segment| matches!(*segment, "v1" | "v1alpha" | "v1beta"))
        .unwrap_or("v1beta")
}

/// What stands behind the last `marker`.
fn after<'p>(path: &'p str, marker: &str) -> Option<&'p str> {
    path.rfind(marker)
        .and_then(|at| path.get(at + marker.len()..))
}

/// What stands behind the first segment that is a version.
fn after_version(path: &str) -> Option<&str> {
    let mut rest = path;
    while let Some((segment, next)) = rest.split_once('/') {
        if matches!(segment, "v1" | "v1alpha" | "v1beta") {
            return Some(next);
        }
        rest = next;
    }
    None
}
