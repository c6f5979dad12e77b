import Domain
import Foundation
import HTTPTypes
import Hummingbird

/// What a request says beside its body.
struct Conditions: Sendable {
    /// What the device's clock showed when it sent the request.
    let deviceClock: Instant?
    private let entityTag: String?

    /// It says nothing.
    init() {
        (deviceClock, entityTag) = (nil, nil)
    }

    init(_ request: Request) throws {
        entityTag = request.headers[.ifMatch]
        guard let text = HTTPField.Name("X-Device-Clock").flatMap({ request.headers[$0] }) else {
            deviceClock = nil
            return
        }
        guard let clock = Instant(text) else {
            throw Problem.invalid("X-Device-Clock", "must be an RFC 3339 date and time")
        }
        deviceClock = clock
    }

    /// Milliseconds by which the device's clock is behind; nil if it didn't say.
    func clockOffset(at now: Instant) -> Int64? {
        deviceClock.map { now.milliseconds - $0.milliseconds }
    }

    func check(_ stored: StoredLedger, at now: Instant) throws {
        guard let entityTag, entityTag != "*", !entityTag.contains(stored.entityTag(at: now)) else { return }
        throw Problem.stateHasChanged(stored.state(at: now))
    }
}

extension Problem {
    /// With the server's copy, so that the client can go on from there.
    fileprivate static func stateHasChanged(_ state: GameState) -> Problem {
        var problem = Problem(.preconditionFailed, "state_has_changed", "The state has changed since")
        problem.state = state
        return problem
    }
}
