import Domain
import Foundation
import Tenancy

/// What a program of a person's own comes with.
struct PersonalAccessToken: Sendable {
    private let token: ProgramToken

    init(uid: UUID) {
        token = ProgramToken(.person, of: uid)
    }

    /// Nil for text that is not one of ours.
    init?(_ text: String) {
        guard let token = ProgramToken(.person, text) else { return nil }
        self.token = token
    }

    var uid: UUID { token.owner }
    var id: UUID { token.id }
    var text: String { token.text }
    var hash: [UInt8] { token.hash }

    /// What `app.bind` is shown.
    func proof(for scope: TokenScope, at now: Date) -> TokenProof {
        TokenProof(id: id, hash: hash, scope: scope.rawValue, at: now)
    }
}
