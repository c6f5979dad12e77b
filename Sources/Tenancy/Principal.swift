package import Foundation

/// Who is asking, and on whose behalf: a person, or a person in an organization.
package struct Principal: Hashable, Sendable {
    package let uid: UUID
    package let organizationID: UUID?
    /// The sign-in that an access token came by: the family of its refresh token.
    /// Nil for those who come without a token, such as commands of the operator.
    package let signIn: UUID?

    package init(uid: UUID, organizationID: UUID? = nil, signIn: UUID? = nil) {
        self.uid = uid
        self.organizationID = organizationID
        self.signIn = signIn
    }

    /// The same person, acting as a member of an organization. Whether they are
    /// one is for `app.bind` to say.
    package func member(of organizationID: UUID) -> Principal {
        Principal(uid: uid, organizationID: organizationID, signIn: signIn)
    }
}
