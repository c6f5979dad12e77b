package import Foundation

/// Who is asking, and on whose behalf: a person, or a person in an organization.
package struct Principal: Hashable, Sendable {
    package let uid: UUID
    package let organizationID: UUID?
    /// The sign-in that an access token came by: the family of its refresh token.
    /// Nil for those who come without a token, such as commands of the operator.
    package let signIn: UUID?
    /// When they ask, as far as it matters how old their sign-in is: some organizations want a recent one.
    package let askedAt: Date?
    /// In the place of a sign-in, where a program came by a token of its own.
    package let token: TokenProof?

    package init(
        uid: UUID,
        organizationID: UUID? = nil,
        signIn: UUID? = nil,
        askedAt: Date? = nil,
        token: TokenProof? = nil
    ) {
        self.uid = uid
        self.organizationID = organizationID
        self.signIn = signIn
        self.askedAt = askedAt
        self.token = token
    }

    /// The same person, acting as a member of an organization. Whether they are
    /// one is for `app.bind` to say.
    package func member(of organizationID: UUID) -> Principal {
        Principal(
            uid: uid,
            organizationID: organizationID,
            signIn: signIn,
            askedAt: askedAt,
            token: token
        )
    }

    /// The same person, by the same sign-in, asking at this moment.
    package func asking(at now: Date) -> Principal {
        Principal(uid: uid, organizationID: organizationID, signIn: signIn, askedAt: now, token: token)
    }
}

/// What a personal access token is known by, and what it is used for.
package struct TokenProof: Hashable, Sendable {
    package let id: UUID
    /// SHA-256.
    package let hash: [UInt8]
    package let scope: String
    /// When it has to be good.
    package let at: Date

    package init(id: UUID, hash: [UInt8], scope: String, at: Date) {
        self.id = id
        self.hash = hash
        self.scope = scope
        self.at = at
    }
}

/// An organization itself, by a key that a program of it came with. No person.
package struct OrganizationPrincipal: Hashable, Sendable {
    package let organizationID: UUID
    package let keyID: UUID
    /// SHA-256.
    package let hash: [UInt8]
    /// Any of these opens what is asked for.
    package let scopes: [String]
    /// When it has to be good, and from where.
    package let at: Date
    package let source: String
    /// For the organization's record: by which request, and from which address as far as it is kept.
    package let requestID: UUID?
    package let recordedSource: String

    package init(
        organizationID: UUID,
        keyID: UUID,
        hash: [UInt8],
        scopes: [String],
        at: Date,
        source: String,
        requestID: UUID?,
        recordedSource: String
    ) {
        self.organizationID = organizationID
        self.keyID = keyID
        self.hash = hash
        self.scopes = scopes
        self.at = at
        self.source = source
        self.requestID = requestID
        self.recordedSource = recordedSource
    }
}
