import Domain
import Foundation
import PGClient
import Testing

/// The sessions of a person as an answer has them, and what they should count for: told by looking at each stretch of
/// time by itself, as the server never does.
struct JudgedPractice {
    struct Sitting {
        let device, id: String
        /// By our clock, in milliseconds.
        let began, ended, receivedAt: Int
        /// By how many milliseconds the clock was found to be behind that it was labelled by.
        let clockOffset: Int
        let xp: Int
        let verdict: String
        let countedXP: Int

        var name: String { "\(device) \(id)" }
    }

    let sittings: [Sitting]

    /// - Parameter sessions: as they are answered. When they came and by which clock isn't answered, and never changes.
    init(_ sessions: [[String: Any]], of uid: String, on server: TestServer) async throws {
        let person = try #require(UUID(uuidString: uid))
        let rows = try await server.asSuperuser { tx in
            try await tx.query(
                """
                select device_id || ' ' || session_id, clock_offset_ms, (extract(epoch from received_at) * 1000)::bigint
                from app.session where uid = \(person)
                """,
                as: (String, Int, Int).self
            )
        }
        let circumstances = Dictionary(rows.map { ($0.0, (offset: $0.1, receivedAt: $0.2)) }) { first, _ in
            first
        }
        sittings = try sessions.map { session in
            let (device, id) = ("\(session["deviceId"] ?? "")", "\(session["id"] ?? "")")
            let (offset, receivedAt) = try #require(circumstances["\(device) \(id)"], "\(device) \(id)")
            func moment(_ member: String) throws -> Int {
                Int(try #require(Instant("\(session[member] ?? "")")).milliseconds) + offset
            }
            func number(_ member: String) throws -> Int { try #require(session[member] as? Int, "\(member)") }
            return Sitting(
                device: device,
                id: id,
                began: try moment("startedAt"),
                ended: try moment("endedAt"),
                receivedAt: receivedAt,
                clockOffset: offset,
                xp: try number("cycles") + number("goalBonusXP"),
                verdict: "\(session["verdict"] ?? "")",
                countedXP: try number("countedXP")
            )
        }
    }

    var sound: [Sitting] { sittings.filter { $0.verdict == "sound" } }

    /// What sound ones bring and don't count for: another device earned more meanwhile.
    var overlapXP: Int { sound.reduce(0) { $0 + $1.xp - $1.countedXP } }

    /// What occurs in it, by name.
    var occasions: Set<String> {
        Set(sittings.map(\.verdict))
            .union(sittings.contains { $0.clockOffset != 0 } ? ["clockPutRight"] : [])
            .union(overlapXP > 0 ? ["sharedTime"] : [])
    }

    /// Which sittings aren't judged as they should be.
    var problems: [String] {
        let verdicts = verdicts
        let sound = sittings.filter { verdicts[$0.name] == "sound" }
        return sittings.compactMap { sitting in
            let verdict = verdicts[sitting.name] ?? ""
            let xp = verdict == "sound" ? sitting.xp(beside: sound) : 0
            guard (verdict, xp) != (sitting.verdict, sitting.countedXP) else { return nil }
            let told = "\(sitting.verdict) for \(sitting.countedXP) XP"
            return "\(sitting.name) is \(told), and not \(verdict) for \(xp)"
        }
    }

    /// By name. Nothing is told of what had no end yet when it came, by two minutes; of two on one device at once, the
    /// one that began first stands.
    private var verdicts: [String: String] {
        var verdicts: [String: String] = [:]
        for sittings in Dictionary(grouping: sittings, by: \.device).values {
            var standing: [Sitting] = []
            for sitting in sittings.sorted(by: { ($0.began, $0.id) < ($1.began, $1.id) }) {
                if sitting.ended > sitting.receivedAt + 120_000 {
                    verdicts[sitting.name] = "inTheFuture"
                } else if standing.contains(where: { $0.ended > sitting.began }) {
                    verdicts[sitting.name] = "overlaps"
                } else {
                    verdicts[sitting.name] = "sound"
                    standing.append(sitting)
                }
            }
        }
        return verdicts
    }
}

extension JudgedPractice.Sitting {
    private var length: Int { ended - began }

    /// What is left of it by the time in which no other earned more a minute, rounded up.
    fileprivate func xp(beside others: [JudgedPractice.Sitting]) -> Int {
        let rivals = others.filter { $0.began < ended && began < $0.ended && $0.precedes(self) }
        let moments = Set([began, ended] + rivals.flatMap { [$0.began, $0.ended] })
            .filter { (began...ended).contains($0) }.sorted()
        let left = zip(moments, moments.dropFirst()).reduce(0) { left, stretch in
            let isTaken = rivals.contains { $0.began <= stretch.0 && stretch.1 <= $0.ended }
            return isTaken ? left : left + stretch.1 - stretch.0
        }
        return (xp * left + length - 1) / length
    }

    private func precedes(_ other: JudgedPractice.Sitting) -> Bool {
        let (pace, otherPace) = (xp * other.length, other.xp * length)
        if pace != otherPace { return pace > otherPace }
        return (began, device, id) < (other.began, other.device, other.id)
    }
}
