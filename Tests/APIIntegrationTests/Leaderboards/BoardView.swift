import Domain
import Foundation
import HTTPTypes
import PGClient
import Testing

@testable import API

/// A moment, looked at by everybody.
struct BoardView: Sendable {
    let naive: NaiveBoards
    let now: Date
    let deed: String
    let limit: Int

    func expect(weeks: Set<Week>, by person: NaiveBoards.Person, walks: Bool) async throws {
        for (scope, company) in [(Scope.global, nil), (.friends, nil)]
            + naive.companies.keys.map({ (.company, $0) })
        {
            if let company, naive.companies[company]?.members.contains(person.uid) != true {
                let answer = try await person.client.send(
                    .get,
                    "/v1/leaderboards/company?organization=\(company)"
                )
                #expect(answer.status == 404, "\(deed)")
                continue
            }
            for metric in scope.metrics {
                for week in metric == .totalSessions ? [nil] : weeks.map(Optional.some) {
                    let board = NaiveBoards.Board(scope: scope, metric: metric, week: week, company: company)
                    try await expect(board, by: person, walks: walks)
                }
            }
            let query = "limit=52" + (company.map { "&organization=\($0)" } ?? "")
            let listed = try await person.client.send(
                .get,
                "/v1/leaderboards/\(scope.rawValue)/seasons?\(query)"
            )
            let seasons = listed.json["seasons"] as? [[String: Any]] ?? []
            #expect(
                seasons.map { "\($0["week"] ?? "") \($0["state"] ?? "")" }
                    == naive.seasons(scope, of: company, for: person.uid, at: now),
                "\(scope) seasons for \(person.name) after \(deed)"
            )
        }
    }

    private func expect(_ board: NaiveBoards.Board, by person: NaiveBoards.Person, walks: Bool) async throws {
        let (seen, total) = naive.board(board, for: person.uid)
        let path = "/v1/leaderboards/\(board.scope.rawValue)"
        let period = board.week.map { "&period=\($0)" } ?? ""
        let what = "\(path)?\(board.query)\(period) for \(person.name) after \(deed)"
        let rows = seen.map { row($0, on: board, for: person) }

        let page = try await person.client.send(.get, "\(path)?\(board.query)\(period)&limit=100").json
        #expect(page.rows == rows, "\(what)")
        #expect(page["total"] as? Int == total, "\(what)")
        #expect(page["isHidden"] as? Bool == naive.isHidden(board.scope, from: person.uid), "\(what)")
        let mine = own(in: seen, of: total, for: person)
        #expect(page.own == mine, "\(what)")
        // Nobody is on it, and it has been looked at.
        guard board.metric != .teamChallengeParticipation else { return }

        let around = try await person.client.send(
            .get,
            "\(path)?\(board.query)\(period)&around=me&limit=\(limit)"
        ).json
        let position = seen.firstIndex { $0.uid == person.uid } ?? 0
        #expect(
            around.rows == Array(rows.dropFirst(max(0, position - limit / 2)).prefix(limit)),
            "around \(what)"
        )
        #expect(around.own == mine && around["total"] as? Int == total, "around \(what)")

        if walks {
            try await expectWalk(
                from: "\(path)?\(board.query)\(period)&limit=\(limit)",
                rows,
                own: mine,
                by: person,
                what
            )
        }
        guard let week = board.week else { return }
        let season = try await person.client.send(.get, "\(path)/seasons/\(week)?\(board.query)&limit=100")
            .json
        #expect(season.rows == rows, "season \(what)")
        #expect(season["total"] as? Int == total, "season \(what)")
        let podium = (season["podium"] as? [[String: Any]] ?? []).map(\.row)
        #expect(podium == zip(seen, rows).filter { $0.0.rank <= 3 }.map(\.1), "podium \(what)")
        let changes = (season["changes"] as? [[String: Any]] ?? []).map { change in
            "\(change.who) \((change["value"] as? Double ?? -1).text)\(change["isMe"] as? Bool == true ? " me" : "")"
                + " from \((change["before"] as? Double ?? -1).text)"
        }
        #expect(changes == naive.changes(on: board, for: person.uid, at: now), "changes \(what)")
    }

    /// Down page by page, and up again.
    private func expectWalk(
        from path: String,
        _ rows: [String],
        own: String,
        by person: NaiveBoards.Person,
        _ what: String
    ) async throws {
        var page = try await person.client.send(.get, path).json
        var down = page.rows
        while let cursor = page["nextCursor"] as? String {
            page = try await person.client.send(.get, "\(path)&cursor=\(cursor)").json
            down += page.rows
            #expect(page.own == own, "down \(what)")
        }
        #expect(down == rows, "down \(what)")
        var up = page.rows
        while let cursor = page["previousCursor"] as? String {
            page = try await person.client.send(.get, "\(path)&cursor=\(cursor)").json
            up = page.rows + up
            #expect(page.own == own, "up \(what)")
        }
        #expect(up == rows, "up \(what)")
    }

    private func row(_ place: NaiveBoards.Place, on board: NaiveBoards.Board, for person: NaiveBoards.Person)
        -> String
    {
        let stats = naive.stats(of: place.uid, on: board).sorted { $0.key < $1.key }
        return
            ([String(place.rank), naive.seen(place, on: board, by: person.uid)]
            + stats.map { "\($0.key) \($0.value.text)" })
            .joined(separator: " ")
    }

    private func own(in seen: [NaiveBoards.Place], of total: Int, for person: NaiveBoards.Person) -> String {
        guard let mine = seen.first(where: { $0.uid == person.uid }) else { return "none" }
        let next = seen.filter { $0.value > mine.value }.map(\.value).min()
        let gap = next.map { ($0 - mine.value).text } ?? "none"
        return
            "\(mine.rank) \(mine.value.text) gap \(gap) percentile \(100 * (total - mine.rank + 1) / max(1, total))"
    }
}

extension [String: Any] {
    fileprivate var rows: [String] { (self["entries"] as? [[String: Any]] ?? []).map(\.row) }

    fileprivate var who: String {
        guard let uid = self["uid"] else { return "somebody" }
        return "\(self["displayName"] ?? "?") \(uid)"
    }

    fileprivate var row: String {
        let stats = (self["stats"] as? [String: Double] ?? [:]).filter { $0.key != "longestStreak" }
            .sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.text)" }
        let mine = self["isMe"] as? Bool == true ? " me" : ""
        let value = self["value"] as? Double ?? -1
        return (["\(self["rank"] ?? "")", "\(who) \(value.text)\(mine)"] + stats).joined(separator: " ")
    }

    fileprivate var own: String {
        guard let me = self["me"] as? [String: Any] else { return "none" }
        let gap = (me["gapToNext"] as? Double)?.text ?? "none"
        return
            "\(me["rank"] ?? "") \((me["value"] as? Double ?? -1).text) gap \(gap) percentile \(me["percentile"] ?? "")"
    }
}
