import Foundation
import HTTPTypes

/// Practice of the kind that passes the gate, as the extension would export it.
enum Practice {
    /// Yesterday's, in UTC: what is practised in the hours before is of one day, whenever the tests run.
    static let noon = Date(
        timeIntervalSince1970: (Date().timeIntervalSince1970 / 86_400).rounded(.down) * 86_400 - 43_200
    )

    /// An export of `days` days up to `end`, three sessions a day, each of ten
    /// minutes and `cycles` cycles with the goal reached.
    static func export(
        device: String = "laptop",
        until end: Date,
        days: Int = 10,
        cycles: Int = 40,
        claimedStreak: Int? = nil,
        totalMeditationTime: Int? = nil,
        challenges: [[String: Any]] = []
    ) -> [String: Any] {
        let sessions = sessions(until: end, days: days, cycles: cycles)
        return export(
            device: device,
            until: end,
            sessions: sessions,
            totalXP: sessions.count * (cycles + 5),
            streak: claimedStreak ?? days,
            totalMeditationTime: totalMeditationTime ?? sessions.count * 600_000,
            challenges: challenges
        )
    }

    static func export(
        device: String = "laptop",
        until end: Date,
        sessions: [[String: Any]],
        totalXP: Int,
        streak: Int = 0,
        totalMeditationTime: Int = 0,
        challenges: [[String: Any]] = []
    ) -> [String: Any] {
        [
            "device": ["id": device, "name": device, "timeZone": "UTC"],
            "takenAt": timestamp(end),
            "export": [
                "exportDate": timestamp(end),
                "breathMaster": [
                    "meditation": [
                        "totalXP": totalXP,
                        "currentStreak": streak,
                        "longestStreak": streak,
                        "totalMeditationTime": totalMeditationTime,
                        "sessions": sessions,
                        "dailyChallenges": challenges,
                    ] as [String: Any]
                ],
            ],
        ]
    }

    static func sessions(until end: Date, days: Int, cycles: Int) -> [[String: Any]] {
        (0..<days).reversed().flatMap { day in
            (0..<3).map { sitting in
                let started = end.addingTimeInterval(Double(-day * 86_400 - (3 - sitting) * 1800))
                return session(startedAt: started, cycles: cycles)
            }
        }
    }

    static func session(startedAt: Date, cycles: Int, minutes: Int = 10) -> [String: Any] {
        [
            "id": "sess-\(Int(startedAt.timeIntervalSince1970 * 1000))",
            "startedAt": timestamp(startedAt),
            "endedAt": timestamp(startedAt.addingTimeInterval(Double(minutes) * 60)),
            "activeMs": minutes * 60_000,
            "cycles": cycles,
            "goalMinutes": minutes,
            "goalBonusXP": minutes / 2,
        ]
    }

    /// A completed challenge of that day, in UTC.
    static func challenge(on date: Date) -> [String: Any] {
        let day = date.formatted(
            Date.VerbatimFormatStyle(
                format:
                    "\(weekday: .abbreviated) \(month: .abbreviated) \(day: .twoDigits) \(year: .defaultDigits)",
                locale: Locale(identifier: "en_US_POSIX"),
                timeZone: .gmt,
                calendar: Calendar(identifier: .gregorian)
            )
        )
        return [
            "id": "\(day)-minutes-0", "date": day, "type": "minutes", "target": 9, "rewardXP": 11,
            "completed": true,
        ]
    }

    static func timestamp(_ date: Date) -> String {
        date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}

extension Client {
    /// Someone who has practised, by that name, and shows it on `scopes`.
    func practitioner(
        _ name: String,
        at end: Date,
        cycles: Int = 40,
        on scopes: [String] = ["global", "friends", "company"],
        claimedStreak: Int? = nil
    ) async throws -> (client: Client, uid: String) {
        let (client, uid) = try await newcomer()
        _ = try await client.send(
            .patch,
            "/v1/me",
            [
                "displayName": name,
                "privacy": ["shareProgress": true, "shareStreaks": true, "allowFriendRequests": true],
                "leaderboards": Dictionary(
                    uniqueKeysWithValues: scopes.map { scope in
                        (
                            scope,
                            scope == "friends"
                                ? ["enabled": true, "shareDetailedProgress": true] : ["enabled": true]
                        )
                    }
                ),
            ]
        )
        _ = try await client.send(
            .put,
            "/v1/sync/export",
            Practice.export(until: end, cycles: cycles, claimedStreak: claimedStreak)
        )
        return (client, uid)
    }

    /// The names on a board in their order, or its problem's status.
    func board(_ path: String) async throws -> String {
        let answer = try await send(.get, "/v1/leaderboards/\(path)")
        guard let entries = answer.json["entries"] as? [[String: Any]] else { return "\(answer.status)" }
        let names = entries.map { "\($0["rank"] ?? 0) \($0["displayName"] ?? "?")" }
        return names.isEmpty ? "empty" : names.joined(separator: ", ")
    }
}
