/// What an organization's key may be allowed to do. None of it is about anybody's practice.
package enum KeyScope: String, CaseIterable, Codable, Sendable {
    /// Everything at `/scim/v2`, for the directory.
    case scim
    /// The same, without changing anything.
    case readScim = "scim:read"
}
