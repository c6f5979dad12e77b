package import Domain
import Foundation
package import PGClient

// How the rules' own values travel: exactly, or not at all.

extension Instant: PGEncodable, PGDecodable, PGArrayElement {
    package static var pgType: PGType { Date.pgType }
    package static var pgArrayType: PGType { Date.pgArrayType }

    package func encode(into buffer: inout PGBuffer) {
        date.encode(into: &buffer)
    }

    package init(from cell: PGCell) throws {
        self.init(try Date(from: cell))
    }
}

extension LocalDay: PGEncodable, PGDecodable, PGArrayElement {
    package static var pgType: PGType { PGDate.pgType }
    package static var pgArrayType: PGType { PGDate.pgArrayType }

    package func encode(into buffer: inout PGBuffer) {
        PGDate(daysSince1970: daysSince1970).encode(into: &buffer)
    }

    package init(from cell: PGCell) throws {
        self.init(daysSince1970: try PGDate(from: cell).daysSince1970)
    }
}

extension SyncFrequency: PGEncodable, PGDecodable {}
extension DayStart: PGEncodable, PGDecodable {}
extension DataRetention: PGEncodable, PGDecodable {}
extension StatsSharing: PGEncodable, PGDecodable {}
