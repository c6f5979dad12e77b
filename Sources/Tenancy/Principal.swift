package import Foundation

/// Who is asking, and on whose behalf: a person, or a person in an organization.
package struct Principal: Hashable, Sendable {
    package let uid: UUID
    package let organizationID: UUID?

    package init(uid: UUID, organizationID: UUID? = nil) {
        self.uid = uid
        self.organizationID = organizationID
    }

    /// The same person, acting as a member of an organization. Whether they are
    /// one is for `app.bind` to say.
    package func member(of organizationID: UUID) -> Principal {
        Principal(uid: uid, organizationID: organizationID)
    }
}
