import Domain
import Foundation
import Hummingbird

/// Which seasons were asked for; every parameter is named when it is wrong.
struct SeasonListRequest: Sendable {
    let scope: Scope
    let organizationID: UUID?
    let limit: Int
    /// The last week of the page before.
    let before: Week?

    init(scope given: String?, query: Parameters) throws {
        guard let scope = given.flatMap(Scope.init(rawValue:)) else { throw Problem.notFound }
        self.scope = scope
        organizationID = try BoardRequest.organization(query["organization"], for: scope)
        limit = try BoardRequest.limit(query["limit"], most: 52)
        before = try query["cursor"].map { text in
            let week = Data(base64URL: String(text)).flatMap { Week(String(decoding: $0, as: UTF8.self)) }
            guard let week else {
                throw Problem.invalid("cursor", "must be the nextCursor of an earlier answer")
            }
            return week
        }
    }

    static func cursor(after week: Week) -> String {
        Data(week.description.utf8).base64URL
    }
}
