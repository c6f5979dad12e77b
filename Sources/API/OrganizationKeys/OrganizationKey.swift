import Domain
import Foundation
import HTTPTypes
import Tenancy

/// What a program of an organization comes with, such as its directory.
struct OrganizationKey: Sendable {
    private let token: ProgramToken

    init(organization: UUID) {
        token = ProgramToken(.organization, of: organization)
    }

    /// Nil for text that is not one of ours.
    init?(_ text: String) {
        guard let token = ProgramToken(.organization, text) else { return nil }
        self.token = token
    }

    var organizationID: UUID { token.owner }
    var id: UUID { token.id }
    var text: String { token.text }
    var hash: [UInt8] { token.hash }

    /// What `app.bind_organization` is shown.
    func principal(for scopes: [KeyScope], at now: Date, from origin: Origin) -> OrganizationPrincipal {
        OrganizationPrincipal(
            organizationID: organizationID,
            keyID: id,
            hash: hash,
            scopes: scopes.map(\.rawValue),
            at: now,
            source: origin.source.text,
            requestID: UUID(uuidString: origin.requestID),
            recordedSource: origin.source.limited
        )
    }
}

extension Problem {
    /// For a route that takes no organization's key at all.
    static let keyNotAccepted = Problem(
        .forbidden,
        "key_not_accepted",
        "No organization's key does this; it takes a person"
    )

    static func insufficientScope(_ scopes: [KeyScope]) -> Problem {
        insufficientScope(scopes.map(\.rawValue).joined(separator: " "))
    }
}
