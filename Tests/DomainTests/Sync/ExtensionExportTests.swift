import Foundation
import Testing

@testable import Domain

struct `The extension's export` {
    private func meditation(_ json: String) throws -> ExtensionExport.Meditation {
        let text =
            #"{"exportDate":"x","breathMaster":{"meditation":\#(json),"onboarding":{},"version":"0.3.4"}}"#
        return try JSONDecoder().decode(ExtensionExport.self, from: Data(text.utf8)).meditation
    }

    private let totals = #""totalXP":1,"currentStreak":2,"longestStreak":3,"totalMeditationTime":4"#

    @Test func `of a fresh install has no lists yet`() throws {
        let fresh = try meditation("{\(totals),\"lastMeditationDate\":\"\"}")
        #expect(fresh.totalXP.value == 1)
        #expect(fresh.sessions == nil)
        #expect(fresh.dailyChallenges == nil)
    }

    @Test func `may have anything in its lists, of which the good items are read`() throws {
        let item =
            #"{"id":"a","startedAt":"2026-03-02T09:00:00Z","endedAt":"2026-03-02T09:01:00Z","activeMs":1,"cycles":2}"#
        let read = try meditation(#"{\#(totals),"sessions":[null,5,"x",{},[],\#(item)]}"#)
        let sessions = try #require(read.sessions)
        let problems = sessions.all.map { item -> String in
            switch item {
            case .valid(let record): record.id.text
            case .invalid(let field, let why): "\(field): \(why)"
            }
        }
        #expect(
            problems == [
                ": must not be null", ": is of the wrong type", ": is of the wrong type", "id: is missing",
                ": is of the wrong type", "a",
            ]
        )
    }

    @Test(arguments: [
        ("0", 0), ("-0.4", 0), ("0.4", 0), ("0.5", 1), ("299999.7", 300_000), ("2147483647", 2_147_483_647),
        ("1e3", 1000),
        ("2147483647.5", nil), ("2147483648", nil), ("-1", nil), ("1e300", nil), ("\"1\"", nil),
        ("null", nil),
        ("true", nil),
    ])
    func `counts in whole numbers, and rounds what JavaScript left as a fraction`(
        _ json: String,
        _ value: Int?
    ) {
        let counts = try? JSONDecoder().decode([Count].self, from: Data("[\(json)]".utf8))
        #expect(counts?.first?.value == value)
    }

    @Test(arguments: [(0, false), (1, true), (64, true), (65, false)])
    func `names things in 1 to 64 characters`(_ length: Int, _ isRead: Bool) {
        let text = String(repeating: "é", count: length)
        let labels = try? JSONDecoder().decode([Label].self, from: Data(#"["\#(text)"]"#.utf8))
        #expect(labels?.first?.text == (isRead ? text : nil))
    }

    @Test(arguments: [
        ("{", "", "is not valid JSON"), ("{}", "breathMaster", "is missing"),
        (
            #"{"breathMaster":{"meditation":{"totalXP":"1"}}}"#, "breathMaster.meditation.totalXP",
            "is of the wrong type"
        ),
        (#"{"breathMaster":{"meditation":null}}"#, "breathMaster.meditation", "must not be null"),
    ])
    func `that is broken as a whole says where and why, and names no type`(
        _ json: String,
        _ path: String,
        _ why: String
    ) throws {
        let thrown = #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(ExtensionExport.self, from: Data(json.utf8))
        }
        let problem = try #require(thrown).whereAndWhy
        #expect(problem.path.map(\.stringValue).joined(separator: ".") == path)
        #expect(problem.why == why)
    }
}
